import Foundation

/// Whole-file reading and atomic writing, with the reason when it fails.
enum RegularFile {
    /// The bytes of a regular file (links are followed). Devices and pipes, which may never end, are refused.
    static func read(_ url: URL, maximumBytes: Int) throws -> Data {
        let descriptor = open(url.path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw RegularFileError(reason: reason(errno)) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw RegularFileError(reason: reason(errno)) }
        switch status.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR: throw RegularFileError(reason: "it is a folder")
        default: throw RegularFileError(reason: "it is not a regular file")
        }
        let size = Int(status.st_size)
        guard size <= maximumBytes else {
            throw RegularFileError(reason: "it holds \(size) bytes; at most \(maximumBytes) are read")
        }
        var data = Data(count: size)
        var filled = 0
        while filled < size {
            let count = data.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress! + filled, size - filled, off_t(filled)) }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw RegularFileError(reason: reason(errno)) }
            if count == 0 { throw RegularFileError(reason: "it became shorter while it was read") }
            filled += count
        }
        return data
    }

    /// Writes a temporary sibling, then renames it to `url`. Not flushed to the disk: this guards against a process that
    /// stops half-way, not against a power cut.
    static func replace(_ url: URL, with data: Data) throws {
        let folder = url.deletingLastPathComponent()
        let temporary = folder.appendingPathComponent(".\(UUID().uuidString).tmp").path
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw RegularFileError(reason: reason(errno)) }
        var failure: Int32 = 0
        data.withUnsafeBytes { bytes in
            var written = 0
            while written < bytes.count && failure == 0 {
                let count = write(descriptor, bytes.baseAddress! + written, bytes.count - written)
                if count >= 0 { written += count } else if errno != EINTR { failure = errno }
            }
        }
        // close can be the first to report that the disk is full.
        if close(descriptor) != 0 && failure == 0 { failure = errno }
        if failure == 0 && rename(temporary, url.path) != 0 { failure = errno }
        if failure != 0 {
            unlink(temporary)
            throw RegularFileError(reason: reason(failure))
        }
    }

    private static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }
}

struct RegularFileError: Error {
    let reason: String
}
