import Foundation

/// A table of comma-separated values with a line of column names (RFC 4180): fields in quotes may hold commas, quotes
/// (doubled) and line ends. Empty lines are passed over.
public struct CSVTable: Sendable, Equatable {
    public struct Row: Sendable, Equatable {
        /// Where it begins, from 1.
        public let line: Int
        public let fields: [String]
    }

    public let columns: [String]
    /// Each with as many fields as there are columns.
    public let rows: [Row]

    /// - Throws: `CSVError`.
    public init(parsing text: String) throws(CSVError) {
        var parser = CSVParser(text)
        guard let header = try parser.next() else { throw CSVError(line: 1, reason: "there are no column names") }
        columns = header.fields
        var rows: [Row] = []
        while let row = try parser.next() {
            guard row.fields.count == columns.count else {
                throw CSVError(
                    line: row.line,
                    reason: "it has \(row.fields.count) values, but there are \(columns.count) columns")
            }
            rows.append(row)
        }
        self.rows = rows
    }
}

/// Why a text is no table of comma-separated values.
public struct CSVError: Error, Equatable, CustomStringConvertible {
    public let line: Int
    public let reason: String

    public var description: String { "line \(line): \(reason)" }
}

/// Takes rows off a text one by one.
private struct CSVParser {
    private let bytes: [UInt8]
    private var place = 0
    private var line = 1

    private static let (comma, quote) = (UInt8(ascii: ","), UInt8(ascii: "\""))
    private static let (newline, carriageReturn) = (UInt8(ascii: "\n"), UInt8(ascii: "\r"))

    init(_ text: String) {
        let bytes = Array(text.utf8)
        // A byte-order mark carries nothing.
        self.bytes = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? Array(bytes.dropFirst(3)) : bytes
    }

    /// nil at the end.
    mutating func next() throws(CSVError) -> CSVTable.Row? {
        while place < bytes.count, takeLineEnd() {}
        guard place < bytes.count else { return nil }
        let start = line
        var fields: [String] = []
        repeat {
            fields.append(try field())
        } while takeComma()
        return CSVTable.Row(line: start, fields: fields)
    }

    private var isAtFieldEnd: Bool {
        guard place < bytes.count else { return true }
        let byte = bytes[place]
        return byte == Self.comma || byte == Self.newline || byte == Self.carriageReturn
    }

    private mutating func takeComma() -> Bool {
        guard place < bytes.count, bytes[place] == Self.comma else {
            _ = takeLineEnd()
            return false
        }
        place += 1
        return true
    }

    private mutating func takeLineEnd() -> Bool {
        guard place < bytes.count else { return false }
        if bytes[place] == Self.newline {
            place += 1
        } else if bytes[place] == Self.carriageReturn {
            place += place + 1 < bytes.count && bytes[place + 1] == Self.newline ? 2 : 1
        } else {
            return false
        }
        line += 1
        return true
    }

    private mutating func field() throws(CSVError) -> String {
        guard place < bytes.count, bytes[place] == Self.quote else {
            let start = place
            while !isAtFieldEnd { place += 1 }
            return String(decoding: bytes[start..<place], as: UTF8.self)
        }
        return try quotedField()
    }

    private mutating func quotedField() throws(CSVError) -> String {
        let start = line
        var content: [UInt8] = []
        place += 1
        while place < bytes.count {
            let byte = bytes[place]
            place += 1
            guard byte == Self.quote else {
                if byte == Self.newline { line += 1 }
                content.append(byte)
                continue
            }
            if place < bytes.count, bytes[place] == Self.quote {
                content.append(byte)
                place += 1
                continue
            }
            guard isAtFieldEnd else {
                throw CSVError(
                    line: line, reason: "something follows a closing quote; expected a comma or the line's end")
            }
            return String(decoding: content, as: UTF8.self)
        }
        throw CSVError(line: start, reason: "a quote is opened here and never closed")
    }
}
