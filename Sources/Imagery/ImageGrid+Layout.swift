extension ImageGrid {
    /// Sizes and positions on the sheet, in its pixels.
    struct Layout {
        let rows: Int
        let cellWidth: Int
        /// The part of a cell that holds the image.
        let imageHeight: Int
        let captionGap: Int
        let textHeight: Int
        let width: Int
        let height: Int

        private let grid: ImageGrid
        private let cellHeight: Int
        private let left: Int
        private let top: Int

        init(of grid: ImageGrid, images: [Image]) throws {
            let ranges = [
                ("columns", grid.columns, 1), ("padding", grid.padding, 0), ("scale", grid.scale, 1),
                ("text scale", grid.textScale, 1),
            ]
            for (name, value, minimum) in ranges where !(minimum...PNG.maximumSide).contains(value) {
                throw ImageError.unusableSize(
                    "the \(name) of an image grid is \(value); expected \(minimum) to \(PNG.maximumSide)")
            }
            guard let widest = images.map(\.width).max(), let tallest = images.map(\.height).max() else {
                throw ImageError.unusableSize("an image grid needs at least one image; got none")
            }
            self.grid = grid
            func widthOfWidest(_ texts: [String]) -> Int {
                (texts.map(BitmapFont.width(of:)).max() ?? 0) * grid.textScale
            }
            let padding = grid.padding
            textHeight = BitmapFont.glyphHeight * grid.textScale
            captionGap = 2 * grid.textScale
            rows = (images.count + grid.columns - 1) / grid.columns
            cellWidth = max(widest * grid.scale, widthOfWidest(grid.captions), widthOfWidest(grid.columnTitles))
            imageHeight = tallest * grid.scale
            cellHeight = imageHeight + (grid.captions.isEmpty ? 0 : captionGap + textHeight)
            left = padding + (grid.rowTitles.isEmpty ? 0 : widthOfWidest(grid.rowTitles) + padding)
            top = padding + (grid.columnTitles.isEmpty ? 0 : textHeight + captionGap)
            // Sides are far below overflow: each factor was checked above or is a size of something in memory.
            width = left + grid.columns * (cellWidth + padding)
            height = top + rows * (cellHeight + padding)
            guard width <= PNG.maximumSide, height <= PNG.maximumSide, width * height <= PNG.maximumPixels else {
                throw ImageError.unusableSize(
                    "an image grid of \(grid.columns) × \(rows) cells would be \(width)×\(height) pixels; at most "
                        + "\(PNG.limits) are drawn: use fewer images or a smaller scale")
            }
        }

        func x(ofColumn column: Int) -> Int { left + column * (cellWidth + grid.padding) }
        func y(ofRow row: Int) -> Int { top + row * (cellHeight + grid.padding) }
        func textWidth(_ text: String) -> Int { BitmapFont.width(of: text) * grid.textScale }
    }
}
