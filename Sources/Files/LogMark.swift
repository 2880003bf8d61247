/// The lines that a log held at some moment, as a checkpoint remembers them.
public struct LogMark: Codable, Equatable, Sendable {
    public let bytes: Int
    public let lines: Int
    /// SHA-256 of those bytes.
    public let digest: String

    package enum CodingKeys: String, CodingKey {
        case bytes, lines
        case digest = "sha256"
    }

    public static let empty = LogMark(bytes: 0, lines: 0, digest: SHA256().digest())
}

/// A log is not the one that a run wrote.
public enum LogMarkError: Error, Equatable, CustomStringConvertible {
    /// `lines` is nil where there is no log at all.
    case shortened(path: String, lines: Int?, expected: Int)
    case altered(path: String, lines: Int)

    public var description: String {
        let remedy = "; bring back the file as the run left it, or start another run in a new folder"
        return switch self {
        case .shortened(let path, nil, let expected):
            "\(path): missing, where the run had logged \(Self.count(expected)) by its checkpoint\(remedy)"
        case .shortened(let path, let lines?, let expected):
            "\(path): it holds \(Self.count(lines)), fewer than the \(expected) that the run had logged "
                + "by its checkpoint\(remedy)"
        case .altered(let path, let lines):
            "\(path): its first \(Self.count(lines)) are not what the run had logged by its checkpoint\(remedy)"
        }
    }

    private static func count(_ lines: Int) -> String { lines == 1 ? "1 line" : "\(lines) lines" }
}

extension JSONLinesLog {
    /// What the log holds now, all of it on the device when this returns.
    /// - Throws: `StorageError`.
    public func mark() throws -> LogMark {
        let size = try GrowingFile.settledSize(of: url)
        return size == 0 ? .empty : try Self.mark(of: RegularFile(url), bytes: size)
    }

    /// Makes sure that the log begins with what it held at `mark`. Nothing is changed.
    /// - Throws: `LogMarkError`, `StorageError`.
    public func check(_ mark: LogMark) throws {
        guard FileKind(at: url) != .nothing else {
            guard mark.bytes == 0 else {
                throw LogMarkError.shortened(path: url.path, lines: nil, expected: mark.lines)
            }
            return
        }
        let file = try RegularFile(url)
        let present = try Self.mark(of: file, bytes: min(file.size, mark.bytes))
        guard present != mark else { return }
        let lines = try Self.mark(of: file, bytes: file.size).lines
        throw lines < mark.lines
            ? LogMarkError.shortened(path: url.path, lines: lines, expected: mark.lines)
            : LogMarkError.altered(path: url.path, lines: mark.lines)
    }

    /// Drops all that was logged after `mark`, in one step.
    /// - Throws: `LogMarkError` where the log does not begin with what it held then,
    ///   and is left as it is; `StorageError`.
    public func cut(to mark: LogMark) throws {
        try check(mark)
        try GrowingFile.cut(url, to: mark.bytes)
    }

    private static func mark(of file: RegularFile, bytes size: Int) throws -> LogMark {
        var hash = SHA256()
        var lines = 0
        var offset = 0
        while offset < size {
            let part = try file.bytes(at: offset, count: min(1 << 20, size - offset))
            hash.update(part)
            lines += part.count { $0 == UInt8(ascii: "\n") }
            offset += part.count
        }
        return LogMark(bytes: size, lines: lines, digest: hash.digest())
    }
}
