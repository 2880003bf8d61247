/// A table of aligned columns for the terminal.
public struct TextTable: Sendable {
    public enum Alignment: Sendable {
        case left, right
    }

    public struct Column: Sendable {
        public let title: String
        public let alignment: Alignment

        /// - Parameters:
        ///   - title: at the head of the column.
        ///   - alignment: `.right` for numbers, so that digits of equal value align.
        public init(_ title: String, _ alignment: Alignment = .left) {
            self.title = title
            self.alignment = alignment
        }
    }

    private enum Row {
        case cells([String])
        case rule
    }

    private let columns: [Column]
    private var rows: [Row] = []
    private var cellRowCount = 0

    public init(columns: [Column]) {
        self.columns = columns
    }

    /// - Throws: `ReportError.wrongCellCount`.
    public mutating func append(_ cells: [String]) throws(ReportError) {
        guard cells.count == columns.count else {
            throw .wrongCellCount(row: cellRowCount, got: cells.count, expected: columns.count)
        }
        cellRowCount += 1
        // A line break or control character inside a cell would tear the table, or steer the terminal.
        rows.append(
            .cells(
                cells.map { cell in
                    String(
                        cell.map { $0.unicodeScalars.contains { $0.properties.generalCategory == .control } ? " " : $0 }
                    )
                }))
    }

    /// Draws a line below the rows so far, as above a total.
    public mutating func appendRule() {
        rows.append(.rule)
    }

    /// The table: a header, a rule and the rows, two spaces between columns, no spaces at line ends, each line ended by
    /// a line feed.
    public var text: String {
        var widths = columns.map { TerminalWidth.of($0.title) }
        for case .cells(let cells) in rows {
            for (index, cell) in cells.enumerated() {
                widths[index] = max(widths[index], TerminalWidth.of(cell))
            }
        }
        let rule = String(repeating: "─", count: widths.reduce(0, +) + 2 * max(0, widths.count - 1)) + "\n"
        var result = line(columns.map(\.title), widths) + rule
        for row in rows {
            switch row {
            case .cells(let cells): result += line(cells, widths)
            case .rule: result += rule
            }
        }
        return result
    }

    private func line(_ cells: [String], _ widths: [Int]) -> String {
        var result = ""
        for (index, cell) in cells.enumerated() {
            let padding = String(repeating: " ", count: widths[index] - TerminalWidth.of(cell))
            result += index == 0 ? "" : "  "
            result += columns[index].alignment == .left ? cell + padding : padding + cell
        }
        while result.last == " " { result.removeLast() }
        return result + "\n"
    }
}

/// How many terminal cells text takes.
enum TerminalWidth {
    static func of(_ text: String) -> Int {
        text.reduce(0) { $0 + of($1) }
    }

    /// 2 for East Asian wide characters and emoji, 1 for everything else; a base with its combining marks counts once.
    private static func of(_ character: Character) -> Int {
        guard let scalar = character.unicodeScalars.first else { return 0 }
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
            0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
            return 2
        default:
            return 1
        }
    }
}
