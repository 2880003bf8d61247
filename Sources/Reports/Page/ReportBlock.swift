import Foundation

/// A piece of a report. All text is escaped; in paragraphs, lists, captions and notes, what stands between backticks is
/// set in code type.
public indirect enum ReportBlock: Sendable {
    case heading(String)
    case paragraph(String)
    case list([String])
    /// A remark set apart from the text.
    case note(String, kind: NoteKind)
    case table(ReportTable)
    /// Pictures beside each other where there is room, below each other on a phone.
    case images([ReportImage])
    case plot(any SVGPlot, caption: String)
    /// A command, a configuration or a log, as it is.
    case preformatted(String, caption: String)
    /// Blocks behind a line that opens on a click.
    case details(String, [ReportBlock])

    public enum NoteKind: String, Sendable {
        case information, success, warning
    }
}

/// A table of a report.
public struct ReportTable: Sendable {
    public struct Column: Sendable {
        public let title: String
        /// Numbers are aligned right with digits of equal width, names left.
        public let isNumeric: Bool

        public init(_ title: String, isNumeric: Bool = false) {
            self.title = title
            self.isNumeric = isNumeric
        }

        public static func name(_ title: String) -> Column { Column(title) }
        public static func number(_ title: String) -> Column { Column(title, isNumeric: true) }
    }

    public let columns: [Column]
    public let caption: String
    private(set) var rows: [(cells: [String], isEmphasized: Bool)] = []

    public init(columns: [Column], caption: String = "") {
        self.columns = columns
        self.caption = caption
    }

    /// - Parameters:
    ///   - cells: one a column.
    ///   - isEmphasized: for the row that the reader looks for, such as the best or the total.
    /// - Throws: `ReportError.wrongCellCount`.
    public mutating func append(_ cells: [String], isEmphasized: Bool = false) throws(ReportError) {
        guard cells.count == columns.count else {
            throw .wrongCellCount(row: rows.count, got: cells.count, expected: columns.count)
        }
        rows.append((cells, isEmphasized))
    }
}

/// A PNG picture embedded in the page.
public struct ReportImage: Sendable {
    let png: Data
    let caption: String
    let description: String
    let scale: Int
    let header: PNGHeader

    /// - Parameters:
    ///   - png: a whole PNG file.
    ///   - caption: below the picture.
    ///   - description: what a reader who does not see the picture is told; the caption where empty.
    ///   - scale: how many screen pixels a side of an image pixel takes where there is room, 1…16; nil takes the
    ///     largest whole number that leaves the picture at most 720 wide, and at most 8. Enlarged pixels keep hard
    ///     edges.
    /// - Throws: `ReportError.notPNG`.
    public init(png: Data, caption: String, description: String = "", scale: Int? = nil) throws(ReportError) {
        header = try PNGHeader(png, context: caption.isEmpty ? "a report image" : "the image \"\(caption)\"")
        self.png = png
        self.caption = caption
        self.description = description.isEmpty ? caption : description
        self.scale = scale.map { min(max($0, 1), 16) } ?? min(max(720 / header.width, 1), 8)
    }
}
