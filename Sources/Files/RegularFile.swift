import Foundation

/// A regular file open for reading at any place.
///
/// Reads copy rather than map: a mapped file that another program truncates kills the process,
/// a short read is an error.
package final class RegularFile: Sendable {
    package let path: String
    /// Bytes, when the file was opened.
    package let size: Int
    private let descriptor: Int32

    /// - Throws: `StorageError` where there is no such file, it is not a regular file, it may not be read, or it is a
    ///   Git LFS pointer: no reader has a use for one, and each would call it something else.
    package init(_ url: URL) throws {
        path = url.path
        // Not blocking, so that a named pipe is refused below instead of waited for.
        let opened = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard opened >= 0 else { throw StorageError.reading(path) }
        descriptor = opened
        var status = stat()
        guard fstat(opened, &status) == 0 else {
            let code = errno
            close(opened)
            throw StorageError.reading(path, errno: code)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            close(opened)
            throw StorageError.notARegularFile(path: path)
        }
        size = Int(status.st_size)
        guard size <= LFSPointer.maximumBytes else { return }
        // What cannot be read is said by the read that needs it.
        let prefix = (try? bytes(at: 0, count: min(size, LFSPointer.prefixLength))) ?? []
        if LFSPointer.matches(prefix, size: size) { throw StorageError.gitLFSPointer(path: path) }
    }

    deinit {
        close(descriptor)
    }

    /// Fills `buffer` with the bytes from `offset` on.
    /// - Throws: `StorageError.unreadable` on a failed read or where the file ends first.
    package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws {
        guard let base = buffer.baseAddress else { return }
        var done = 0
        while done < buffer.count {
            let count = pread(descriptor, base + done, buffer.count - done, off_t(offset + done))
            if count > 0 {
                done += count
            } else if count == 0 {
                throw StorageError.unreadable(
                    path: path, reason: "it ends at byte \(offset + done); it has been cut short")
            } else if errno != EINTR {
                throw StorageError.reading(path)
            }
        }
    }

    /// `count` bytes from `offset` on.
    package func bytes(at offset: Int, count: Int) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            try read(
                into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count]),
                at: offset)
            initialized = count
        }
    }

    /// All bytes of the file at `url`.
    /// - Parameter limit: the most bytes it may have.
    /// - Throws: `StorageError`, also for a file that is longer.
    package static func contents(of url: URL, limit: Int) throws -> Data {
        let file = try RegularFile(url)
        guard file.size <= limit else {
            throw StorageError.unreadable(
                path: url.path, reason: "it has \(file.size) bytes; at most \(limit) are read here")
        }
        var data = Data(count: file.size)
        try data.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
        return data
    }
}
