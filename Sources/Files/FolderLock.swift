import Foundation

/// Keeps other processes from writing into a folder for as long as it lives. It ends with the process at the latest.
public final class FolderLock: Sendable {
    private let descriptor: Int32

    /// - Throws: `StorageError.inUse` where another process, or another lock of this one,
    ///   holds the folder; `.unreadable`.
    public init(_ url: URL) throws {
        // Stored last: an error thrown once it is would end in deinit, which closes it too.
        let opened = open(url.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard opened >= 0 else { throw StorageError.reading(url.path) }
        // A file system without locks: carry on as the only writer.
        if flock(opened, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
            close(opened)
            throw StorageError.inUse(path: url.path)
        }
        descriptor = opened
    }

    deinit {
        close(descriptor)
    }
}
