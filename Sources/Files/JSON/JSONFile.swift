import Foundation

/// JSON documents on disk.
public enum JSONFile {
    /// Reads the document at `url`.
    /// - Throws: `StorageError`: no such file, not a regular file, larger than `limits.bytes`,
    ///   or not JSON (with the place).
    public static func read(_ url: URL, limits: JSONLimits = JSONLimits()) throws -> JSONValue {
        let file = try RegularFile(url)
        guard file.size <= limits.bytes else {
            throw StorageError.json(file: file.path, .tooLarge(bytes: file.size, limit: limits.bytes))
        }
        do {
            return try JSONValue(parsing: try file.bytes(at: 0, count: file.size), limits: limits)
        } catch let error as JSONError {
            throw StorageError.json(file: file.path, error)
        }
    }

    /// Writes `value` atomically as Python's `json.dumps(value, indent=2, sort_keys=True)` and a newline would.
    /// - Throws: `StorageError`, also for a number that is not finite, unless the style allows for it.
    public static func write(_ value: JSONValue, to url: URL, style: JSONStyle = .python) throws {
        do {
            try AtomicFile.write(Data((try value.text(style) + "\n").utf8), to: url)
        } catch let error as JSONError {
            throw StorageError.json(file: url.path, error)
        }
    }
}
