import Foundation

/// A log of JSON objects, one a line (`metrics.jsonl`), that a resumed run continues exactly.
///
/// Every line is written by one call, so a kill tears the last line at most. Numbers that are not finite are logged as
/// null. One process appends at a time.
public struct JSONLinesLog: Sendable {
    public let url: URL

    /// The largest log read back, bytes.
    private static let sizeLimit = 1 << 30

    /// Opens the log at `url`, which need not exist yet, and mends its end: a last line without its newline is completed
    /// where it is a whole object and cut off otherwise.
    /// - Throws: `StorageError` where the file cannot be read or mended.
    public init(_ url: URL) throws {
        self.url = url
        guard FileKind(at: url) != .nothing else { return }
        let bytes = try Self.contents(of: url)
        guard let last = bytes.last, last != Self.newline else { return }
        let start = bytes.lastIndex(of: Self.newline).map { $0 + 1 } ?? 0
        if (try? JSONValue(parsing: Array(bytes[start...])))?.objectValue != nil {
            try AtomicFile.write(Data(bytes + [Self.newline]), to: url)
        } else {
            try AtomicFile.write(Data(bytes[..<start]), to: url)
        }
    }

    /// Appends `entry` as one line. On a failed write the log is left as it was.
    /// - Throws: `StorageError`.
    public func append(_ entry: [String: JSONValue]) throws {
        let line = try JSONValue.object(entry).text(.logLine) + "\n"
        let descriptor = open(url.path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw StorageError.writing(url.path) }
        let sink = FileSink(descriptor: descriptor, path: url.path)
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw StorageError.writing(url.path) }
        do {
            try sink.write(line.utf8)
        } catch {
            ftruncate(descriptor, status.st_size)
            throw error
        }
    }

    /// Drops the lines whose "step" is later than `step`; lines without a "step" stay.
    /// - Throws: `StorageError` where the log cannot be read or written; `.json` naming the line that is not an object
    ///   or whose "step" is not an integer.
    public func truncate(afterStep step: Int) throws {
        guard FileKind(at: url) != .nothing else { return }
        let bytes = try Self.contents(of: url)
        var kept: [UInt8] = []
        for (line, entry) in try Self.lines(of: bytes, path: url.path) {
            if let value = entry["step"], let lineStep = value.intValue, lineStep > step { continue }
            kept += line + [Self.newline]
        }
        if kept != bytes { try AtomicFile.write(Data(kept), to: url) }
    }

    /// The entries, oldest first; none where there is no file yet.
    /// - Throws: as `truncate`.
    public func entries() throws -> [JSONValue] {
        guard FileKind(at: url) != .nothing else { return [] }
        return try Self.lines(of: try Self.contents(of: url), path: url.path).map(\.entry)
    }

    private static let newline = UInt8(ascii: "\n")

    private static func contents(of url: URL) throws -> [UInt8] {
        let file = try RegularFile(url)
        guard file.size <= sizeLimit else {
            throw StorageError.json(file: file.path, .tooLarge(bytes: file.size, limit: sizeLimit))
        }
        return try file.bytes(at: 0, count: file.size)
    }

    private static func lines(of bytes: [UInt8], path: String) throws -> [(line: ArraySlice<UInt8>, entry: JSONValue)] {
        var result: [(line: ArraySlice<UInt8>, entry: JSONValue)] = []
        var number = 0
        for line in bytes.split(separator: newline, omittingEmptySubsequences: false) {
            number += 1
            if line.isEmpty { continue }
            do {
                let entry = try JSONValue(parsing: Array(line))
                guard entry.objectValue != nil else {
                    throw JSONError.syntax(
                        "expected an object, got \(entry.kind)", at: JSONPosition(line: 1, column: 1))
                }
                if let step = entry["step"], step.intValue == nil {
                    let reason = "expected an integer under 'step', got \(step.kind)"
                    throw JSONError.syntax(reason, at: JSONPosition(line: 1, column: 1))
                }
                result.append((line, entry))
            } catch let error as JSONError {
                throw StorageError.json(file: "\(path), entry in line \(number)", error)
            }
        }
        return result
    }
}
