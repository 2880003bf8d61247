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

    /// Opens the file at `url` to write behind what it holds, making it where it is not there.
    /// - Throws: `StorageError`, also where `url` is no regular file.
    package convenience init(appendingTo url: URL) throws {
        let descriptor = open(url.path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw StorageError.writing(url.path) }
        self.init(descriptor: descriptor, path: url.path)
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw StorageError.notARegularFile(path: url.path)
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
