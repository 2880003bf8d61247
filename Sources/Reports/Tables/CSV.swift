import Foundation

/// Comma-separated values as RFC 4180 quotes them, with line feeds between records and a header record first.
public struct CSV: Sendable {
    /// One cell. Numbers are written with all their digits, so reading them back gives the same number.
    public enum Cell: Sendable, ExpressibleByStringLiteral {
        case text(String)
        case number(Double)
        case integer(Int)
        /// Nothing is known: an empty cell. NaN and infinities are written as one, too.
        case empty

        public init(stringLiteral value: String) { self = .text(value) }
    }

    private let columnCount: Int
    private var rowCount = 0
    /// The document so far, each record ended by a line feed.
    public private(set) var text: String

    public init(columns: [String]) {
        columnCount = columns.count
        text = Self.line(columns.map(Cell.text))
    }

    /// - Throws: `ReportError.wrongCellCount`.
    public mutating func append(_ row: [Cell]) throws(ReportError) {
        guard row.count == columnCount else {
            throw .wrongCellCount(row: rowCount, got: row.count, expected: columnCount)
        }
        rowCount += 1
        text += Self.line(row)
    }

    /// Writes the document in one step.
    /// - Throws: `ReportError.cannotWrite`.
    public func write(to url: URL) throws(ReportError) {
        try ReportFile.write(Data(text.utf8), to: url)
    }

    private static func line(_ cells: [Cell]) -> String {
        let texts = cells.map(text(of:))
        // A lone empty cell would be an empty line, which readers skip.
        return (texts == [""] ? "\"\"" : texts.joined(separator: ",")) + "\n"
    }

    private static func text(of cell: Cell) -> String {
        switch cell {
        case .empty: ""
        case .integer(let value): String(value)
        case .number(let value): value.isFinite ? "\(value)" : ""
        case .text(let value): quoted(value)
        }
    }

    private static func quoted(_ value: String) -> String {
        let needsQuotes = value.unicodeScalars.contains { [",", "\"", "\n", "\r"].contains($0) }
        return needsQuotes ? "\"" + value.replacingOccurrences(of: "\"", with: "\"\"") + "\"" : value
    }
}
