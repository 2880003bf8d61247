import Foundation

/// Names and locks for the hidden neighbours under which files and folders are built before they take their place.
///
/// A name is fixed by its target, so what a killed run left behind is found again without searching the folder; a lock,
/// which ends with the process that holds it, tells such remains from the work of a living process.
package enum TemporarySibling {
    /// The neighbour under which `target` is built.
    package static func partial(of target: URL) -> URL { neighbour(target, "partial") }

    /// The neighbour that keeps the former `target` while the new one takes its place.
    package static func retired(of target: URL) -> URL { neighbour(target, "retired") }

    private static func neighbour(_ target: URL, _ role: String) -> URL {
        target.deletingLastPathComponent().appendingPathComponent(".\(target.lastPathComponent).\(role)")
    }

    /// The place a write to `url` ends up in: absolute, and no symbolic link. What a link leads to is nobody's output:
    /// it may lie anywhere, and a folder from elsewhere may hold any link.
    /// - Throws: `StorageError.link`.
    package static func resolve(_ url: URL) throws -> URL {
        let target = url.absoluteURL.standardizedFileURL
        if FileKind(at: target) == .link { throw StorageError.link(path: target.path) }
        return target
    }

    /// Takes away what is no folder, or not `target`'s, from the name `url` under which `target` is to be built, so
    /// that nothing that was there before is ever written into: it may be a link, have other names, or belong to
    /// somebody else. A name is all that goes.
    /// - Throws: `StorageError.inUse` where a living process is building there, `.unwritable` where it cannot be
    ///   removed.
    static func removeFile(_ url: URL, for target: URL) throws {
        let descriptor = open(url.path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        defer { if descriptor >= 0 { close(descriptor) } }
        if descriptor >= 0 {
            // Locked until the name is gone, so that what another process makes in its place is not taken for it.
            guard try lock(descriptor, at: url, for: target) else { return }
        } else if errno == ENOENT {
            return
        } else if errno == EACCES {
            throw StorageError.inTheWay(url, of: target)
        }
        guard unlink(url.path) == 0 || errno == ENOENT else { throw StorageError.inTheWay(url, of: target) }
    }

    /// Locks the file or folder behind `descriptor`, which was opened at `url`.
    /// - Returns: false where the name meanwhile stands for something else, so that the caller opens it anew.
    /// - Throws: `StorageError.inUse` where another open handle holds the lock.
    package static func lock(_ descriptor: Int32, at url: URL, for target: URL) throws -> Bool {
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            if errno == EWOULDBLOCK { throw StorageError.inUse(path: target.path) }
            // A file system without locks: carry on as the only writer.
            return true
        }
        var opened = stat()
        var named = stat()
        guard fstat(descriptor, &opened) == 0, lstat(url.path, &named) == 0 else { return false }
        return opened.st_ino == named.st_ino && opened.st_dev == named.st_dev
    }

    /// Makes a rename in `folder` last through a power cut, where the file system can.
    package static func synchronize(folder: URL) {
        let descriptor = open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }
}

/// What stands at a path.
package enum FileKind {
    case nothing, file, folder, link, other

    /// - Parameter followingLinks: what a symbolic link leads to counts in its place;
    ///   one that leads nowhere is nothing.
    package init(at url: URL, followingLinks: Bool = false) {
        self = (try? FileKind(reading: url, followingLinks: followingLinks)) ?? .nothing
    }

    /// The same, but what may not be looked at is an error and not nothing.
    /// - Throws: `StorageError.unreadable`.
    package init(reading url: URL, followingLinks: Bool = true) throws {
        var status = stat()
        guard (followingLinks ? stat(url.path, &status) : lstat(url.path, &status)) == 0 else {
            guard errno == ENOENT || errno == ENOTDIR else { throw StorageError.reading(url.path) }
            self = .nothing
            return
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG: self = .file
        case S_IFDIR: self = .folder
        case S_IFLNK: self = .link
        default: self = .other
        }
    }
}
