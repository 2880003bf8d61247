import Foundation

/// Files that only ever grow, such as logs: a checkpoint notes how long they are, and resuming cuts them back to that.
public enum GrowingFile {
    /// Bytes in the file at `url`, all of them on the device when this returns; 0 where there is no file.
    /// - Throws: `StorageError`.
    public static func settledSize(of url: URL) throws -> Int {
        guard FileKind(at: url) != .nothing else { return 0 }
        let sink = try FileSink(appendingTo: url)
        try sink.synchronize()
        return try sink.size
    }

    /// Cuts the file at `url` back to its first `size` bytes, in one step. Nothing at `url` counts as an empty file.
    /// - Throws: `StorageError`, also where the file is shorter than that; it is then left as it is.
    public static func cut(_ url: URL, to size: Int) throws {
        let present = FileKind(at: url) != .nothing
        if !present, size == 0 { return }
        guard present else { throw StorageError.missing(path: url.path) }
        let sink = try FileSink(appendingTo: url)
        let length = try sink.size
        guard length >= size else {
            throw StorageError.unreadable(
                path: url.path, reason: "it has \(length) bytes, fewer than the \(size) that were written")
        }
        if length > size { try sink.truncate(to: size) }
    }

    /// Writes `bytes` behind the others, making the file where it is not there. After a failed write the file is as it
    /// was.
    /// - Throws: `StorageError`.
    public static func append(_ bytes: some Sequence<UInt8>, to url: URL) throws {
        let sink = try FileSink(appendingTo: url)
        let size = try sink.size
        do {
            try sink.write(bytes)
        } catch {
            try? sink.truncate(to: size)
            throw error
        }
    }
}
