import Foundation

/// A file open for writing. Bytes go to the file as they come.
public final class FileSink {
    let path: String
    private let descriptor: Int32

    /// Takes over `descriptor`; `path` is what errors name.
    init(descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit {
        close(descriptor)
    }

    /// - Throws: `StorageError.noSpace` on a full device, else `StorageError.unwritable`.
    public func write(_ bytes: UnsafeRawBufferPointer) throws {
        guard let base = bytes.baseAddress else { return }
        var done = 0
        while done < bytes.count {
            // `Foundation.write` would name the overlay; the call is the C library's.
            let count = platformWrite(descriptor, base + done, bytes.count - done)
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
    func synchronize() throws {
        guard fsync(descriptor) == 0 else { throw StorageError.writing(path) }
    }
}

/// The C library's `write`, under a name that a method called `write` does not hide.
private func platformWrite(_ descriptor: Int32, _ base: UnsafeRawPointer, _ count: Int) -> Int {
    write(descriptor, base, count)
}
