import Foundation

/// A file open for writing. Bytes go to the file as they come.
public final class FileSink {
    package let path: String
    private let descriptor: Int32

    /// Takes over `descriptor`; `path` is what errors name.
    package init(descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    /// Opens the file at `url` to write behind what it holds, making it where it is not there. One that has other names
    /// (hard links) is copied first, and keeps what it holds under those.
    /// - Throws: `StorageError`, also where `url` is no regular file.
    package convenience init(appendingTo url: URL) throws {
        var opened = try Self.open(url)
        if opened.names > 1 {
            close(opened.descriptor)
            try Self.copy(url)
            opened = try Self.open(url)
        }
        self.init(descriptor: opened.descriptor, path: url.path)
    }

    private static func open(_ url: URL) throws -> (descriptor: Int32, names: Int) {
        let flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        let descriptor = Foundation.open(url.path, flags, 0o666)
        guard descriptor >= 0 else {
            throw errno == ELOOP ? StorageError.link(path: url.path) : StorageError.writing(url.path)
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw StorageError.notARegularFile(path: url.path)
        }
        return (descriptor, Int(status.st_nlink))
    }

    /// Puts a copy of the file in its place.
    private static func copy(_ url: URL) throws {
        let file = try RegularFile(url)
        try AtomicFile.write(to: url) { sink in
            for offset in stride(from: 0, to: file.size, by: 1 << 20) {
                try sink.write(file.bytes(at: offset, count: min(1 << 20, file.size - offset)))
            }
        }
    }

    deinit {
        close(descriptor)
    }

    /// Bytes in the file.
    package var size: Int {
        get throws {
            var status = stat()
            guard fstat(descriptor, &status) == 0 else { throw StorageError.writing(path) }
            return Int(status.st_size)
        }
    }

    /// Drops all but the first `size` bytes.
    package func truncate(to size: Int) throws {
        guard ftruncate(descriptor, off_t(size)) == 0 else { throw StorageError.writing(path) }
    }

    /// - Throws: `StorageError.noSpace` on a full device, else `StorageError.unwritable`.
    public func write(_ bytes: UnsafeRawBufferPointer) throws {
        guard let base = bytes.baseAddress else { return }
        var done = 0
        while done < bytes.count {
            // `Foundation.write` would name the overlay; the call is the C library's.
            let count = Foundation.write(descriptor, base + done, bytes.count - done)
            if count >= 0 {
                done += count
            } else if errno != EINTR {
                throw StorageError.writing(path)
            }
        }
    }

    public func write(_ bytes: some Sequence<UInt8>) throws {
        try Array(bytes).withUnsafeBytes { try write($0) }
    }

    /// Waits until what was written is on the device.
    package func synchronize() throws {
        guard fsync(descriptor) == 0 else { throw StorageError.writing(path) }
    }
}
