/// How a contact sheet of images is laid out: rows filled from the left, every cell of one size, lettering in a small
/// built-in font (printable ASCII; other characters are drawn as "?").
///
/// Cells are as wide as the widest image, caption or column title, so lettering is never cut; images and lettering are
/// centred in them.
public struct ImageGrid: Sendable {
    /// Images in a row; at least 1.
    public var columns: Int
    /// Free pixels around every cell; not scaled.
    public var padding: Int
    /// Behind everything, and behind transparent pixels. Lettering is black or white, whichever stands out from it.
    public var background: RGBColor
    /// Every image pixel becomes a square of this many pixels; at least 1.
    public var scale: Int
    /// Every pixel of the lettering likewise.
    public var textScale: Int
    /// At the left of each row: none, or one a row.
    public var rowTitles: [String]
    /// Above each column: none, or one a column.
    public var columnTitles: [String]
    /// Below each image: none, or one an image.
    public var captions: [String]

    public init(
        columns: Int, padding: Int = 4, background: RGBColor = .white, scale: Int = 1, textScale: Int = 1,
        rowTitles: [String] = [], columnTitles: [String] = [], captions: [String] = []
    ) {
        self.columns = columns
        self.padding = padding
        self.background = background
        self.scale = scale
        self.textScale = textScale
        self.rowTitles = rowTitles
        self.columnTitles = columnTitles
        self.captions = captions
    }

    /// The smallest enlargement that shows images of this many pixels at least `shown` pixels wide.
    public static func scale(forSide side: Int, shown: Int = 64) -> Int {
        precondition(side > 0, "an image has at least one pixel")
        return max(1, (shown + side - 1) / side)
    }

    /// Draws the sheet: grey when the images and the background all are, RGB otherwise.
    ///
    /// - Throws: `ImageError.unusableSize` when there is no image,
    ///   a number is out of range or the sheet would exceed the limits of `PNG`.
    /// - Precondition: titles and captions are as many as said above, or none.
    public func layOut(_ images: [Image]) throws -> Image {
        let layout = try Layout(of: self, images: images)
        precondition(rowTitles.isEmpty || rowTitles.count == layout.rows, "one title a row, or none")
        precondition(columnTitles.isEmpty || columnTitles.count == columns, "one title a column, or none")
        precondition(captions.isEmpty || captions.count == images.count, "one caption an image, or none")

        let isGrey = background.isGrey && images.allSatisfy { $0.channels == 1 }
        let channels = isGrey ? 1 : 3
        var sheet = Image(width: layout.width, height: layout.height, channels: channels, filledWith: background)
        let ink = background.contrasting
        for (index, image) in images.enumerated() {
            let (row, column) = index.quotientAndRemainder(dividingBy: columns)
            let shown = image.compositing(over: background).converted(toChannels: channels).enlarged(by: scale)
            let x = layout.x(ofColumn: column) + (layout.cellWidth - shown.width) / 2
            let y = layout.y(ofRow: row) + (layout.imageHeight - shown.height) / 2
            sheet.paste(shown, x: x, y: y)
        }
        for (index, caption) in captions.enumerated() {
            let (row, column) = index.quotientAndRemainder(dividingBy: columns)
            let x = layout.x(ofColumn: column) + (layout.cellWidth - layout.textWidth(caption)) / 2
            let y = layout.y(ofRow: row) + layout.imageHeight + layout.captionGap
            sheet.draw(caption, x: x, y: y, scale: textScale, color: ink)
        }
        for (column, title) in columnTitles.enumerated() {
            let x = layout.x(ofColumn: column) + (layout.cellWidth - layout.textWidth(title)) / 2
            sheet.draw(title, x: x, y: padding, scale: textScale, color: ink)
        }
        for (row, title) in rowTitles.enumerated() {
            let y = layout.y(ofRow: row) + (layout.imageHeight - layout.textHeight) / 2
            sheet.draw(title, x: padding, y: max(y, layout.y(ofRow: row)), scale: textScale, color: ink)
        }
        return sheet
    }
}

extension Image {
    /// Writes one line of text with its top left corner at (x, y); what falls outside is cut.
    mutating func draw(_ text: String, x: Int, y: Int, scale: Int, color: RGBColor) {
        let sample = color.samples(channels: channels)
        for (position, scalar) in text.unicodeScalars.enumerated() {
            let left = x + position * BitmapFont.advance * scale
            for row in 0..<BitmapFont.glyphHeight * scale where (0..<height).contains(y + row) {
                for column in 0..<BitmapFont.glyphWidth * scale where (0..<width).contains(left + column) {
                    guard BitmapFont.isInk(scalar, x: column / scale, y: row / scale) else { continue }
                    let pixel = ((y + row) * width + left + column) * channels
                    for c in 0..<channels { pixels[pixel + c] = sample[c] }
                }
            }
        }
    }
}
