import Foundation
import Synchronization

/// Keeps other processes from writing into a folder for as long as it lives. It ends with the process at the latest.
public final class FolderLock: Sendable {
    /// A folder, whatever its name.
    private struct Identity: Hashable {
        let device: UInt64
        let number: UInt64

        init(_ status: stat) {
            device = UInt64(truncatingIfNeeded: status.st_dev)
            number = UInt64(truncatingIfNeeded: status.st_ino)
        }
    }

    private static let held = Mutex(Set<Identity>())
    private let descriptor: Int32
    private let identity: Identity

    /// - Throws: `StorageError.inUse` where another process, or another lock of this one, holds the folder; `.missing`,
    ///   `.unreadable`.
    public convenience init(_ url: URL) throws {
        var opened: (Int32, Identity)?
        while opened == nil { opened = try Self.open(url) }
        self.init(opened!.0, opened!.1)
    }

    /// nil where the folder is not there (any more).
    static func ifThere(_ url: URL) throws -> FolderLock? {
        do {
            return try open(url).map { FolderLock($0.0, $0.1) }
        } catch StorageError.missing {
            return nil
        }
    }

    private init(_ descriptor: Int32, _ identity: Identity) {
        self.descriptor = descriptor
        self.identity = identity
        _ = Self.held.withLock { $0.insert(identity) }
    }

    deinit {
        // Known as not held before it is: the other way round, another lock's entry could go.
        _ = Self.held.withLock { $0.remove(identity) }
        close(descriptor)
    }

    /// nil where the name meanwhile stands for another folder or none.
    private static func open(_ url: URL, patience: Int = 20) throws -> (Int32, Identity)? {
        let opened = Foundation.open(url.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard opened >= 0 else { throw StorageError.reading(url.path) }
        var attempt = 0
        while flock(opened, LOCK_EX | LOCK_NB) != 0 {
            // A file system without locks: carry on as the only writer.
            guard errno == EWOULDBLOCK || errno == EINTR else { break }
            // One that was refused holds it while it looks whether there is anything to take away.
            guard attempt < patience else {
                close(opened)
                throw StorageError.inUse(path: url.path)
            }
            attempt += 1
            usleep(5000)
        }
        var (status, named) = (stat(), stat())
        guard fstat(opened, &status) == 0, stat(url.path, &named) == 0, Identity(status) == Identity(named) else {
            close(opened)
            return nil
        }
        return (opened, Identity(status))
    }

    /// Takes the folder away if it is empty and nobody writes in it.
    ///
    /// - Parameter ending: whether this process is about to end, and with it what it writes there.
    package static func removeEmpty(_ url: URL, ending: Bool = false) {
        if let opened = try? open(url, patience: 0) {
            rmdir(url.path)
            close(opened.0)
        } else if ending, isHeld(url) {
            rmdir(url.path)
        }
    }

    /// Whether another process, or another lock of this one, holds the folder at this moment.
    package static func isUsed(_ url: URL) -> Bool {
        do {
            if let opened = try open(url, patience: 0) { close(opened.0) }
            return false
        } catch StorageError.inUse {
            return true
        } catch {
            return false
        }
    }

    /// Whether this process holds the folder.
    package static func isHeld(_ url: URL) -> Bool {
        var status = stat()
        return stat(url.path, &status) == 0 && held.withLock { $0.contains(Identity(status)) }
    }
}
