import Foundation

/// A log of JSON objects, one a line (`metrics.jsonl`), that a resumed run continues exactly.
///
/// Every line is written by one call, so a kill tears the last line at most; whoever resumes cuts the log back to the
/// `mark` that its checkpoint noted. Numbers that are not finite are logged as null. One process appends at a time.
public struct JSONLinesLog: Sendable {
    public let url: URL

    /// The largest log read back, bytes.
    private static let sizeLimit = 1 << 30
    private static let newline = UInt8(ascii: "\n")

    /// The log at `url`, which need not exist yet.
    public init(_ url: URL) { self.url = url }

    /// Appends `entry` as one line. On a failed write the log is left as it was.
    /// - Throws: `StorageError`.
    public func append(_ entry: [String: JSONValue]) throws {
        try GrowingFile.append((JSONValue.object(entry).text(.logLine) + "\n").utf8, to: url)
    }

    /// The entries, oldest first; none where there is no file yet. What a killed process began to write at the end is
    /// left out.
    /// - Throws: `StorageError` where the log cannot be read; `.json` naming the line that is not an object.
    public func entries() throws -> [JSONValue] {
        guard FileKind(at: url) != .nothing else { return [] }
        let file = try RegularFile(url)
        guard file.size <= Self.sizeLimit else {
            throw StorageError.json(file: file.path, .tooLarge(bytes: file.size, limit: Self.sizeLimit))
        }
        let bytes = try file.bytes(at: 0, count: file.size)
        let whole = bytes.lastIndex(of: Self.newline).map { bytes[...$0] } ?? []
        var entries: [JSONValue] = []
        for (number, line) in whole.split(separator: Self.newline, omittingEmptySubsequences: false).enumerated()
        where !line.isEmpty {
            entries.append(try Self.entry(Array(line), path: "\(url.path), entry in line \(number + 1)"))
        }
        return entries
    }

    private static func entry(_ line: [UInt8], path: String) throws -> JSONValue {
        do {
            let entry = try JSONValue(parsing: line)
            guard entry.objectValue != nil else {
                throw JSONError.syntax("expected an object, got \(entry.kind)", at: JSONPosition(line: 1, column: 1))
            }
            return entry
        } catch let error as JSONError {
            throw StorageError.json(file: path, error)
        }
    }
}
