import Foundation

/// Files that appear whole or not at all.
public enum AtomicFile {
    /// Writes `data` to `url`: see `write(to:durably:_:)`.
    public static func write(_ data: Data, to url: URL, durably: Bool = true) throws {
        try write(to: url, durably: durably) { sink in
            try data.withUnsafeBytes { try sink.write($0) }
        }
    }

    /// Lets `body` write a file beside `url` and renames it to `url` when `body` returns.
    ///
    /// A kill at any moment leaves the former file, or none, under `url`. The file is always a new one: what a hard
    /// link at `url` shares with another name stays as it is, and a symbolic link is refused.
    /// - Parameters:
    ///   - url: the file to write.
    ///   - durably: waits for the device, so that the promise holds through a power cut too. Turn it off for many small
    ///     files that can be made again.
    ///   - body: fills it.
    /// - Throws: what `body` throws; `StorageError` where the folder does not exist or cannot be written, `url` is a
    ///   folder, a link or a device, or space runs out. The file under construction is then removed.
    public static func write(to url: URL, durably: Bool = true, _ body: (FileSink) throws -> Void) throws {
        let target = try TemporarySibling.resolve(url)
        switch FileKind(at: target) {
        case .nothing, .file: break
        case .folder, .link, .other: throw StorageError.notARegularFile(path: target.path)
        }
        let partial = TemporarySibling.partial(of: target)
        var descriptor: Int32 = -1
        try Unfinished.building(
            making: { descriptor = try openLocked(partial, for: target) }, clearedBy: { unlink(partial.path) }
        ) {
            // Named after the target: the name of the temporary would puzzle whoever reads the error.
            let sink = FileSink(descriptor: descriptor, path: target.path)
            try body(sink)
            if durably { try sink.synchronize() }
            guard rename(partial.path, target.path) == 0 else { throw StorageError.writing(target.path) }
        }
        if durably { TemporarySibling.synchronize(folder: target.deletingLastPathComponent()) }
    }

    /// Opens a new, locked file at `partial`, taking away what a killed run left there.
    private static func openLocked(_ partial: URL, for target: URL) throws -> Int32 {
        while true {
            let descriptor = open(partial.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
            guard descriptor >= 0 else {
                switch errno {
                case EEXIST: try TemporarySibling.removeFile(partial, for: target)
                case ENOENT: throw StorageError.missing(path: target.deletingLastPathComponent().path)
                default: throw StorageError.writing(target.path)
                }
                continue
            }
            // Whoever holds the lock already took the file for a killed run's, and is about to take it away.
            if (try? TemporarySibling.lock(descriptor, at: partial, for: target)) == true { return descriptor }
            close(descriptor)
        }
    }
}
