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

    /// The place a write to `url` ends up in: absolute, a symbolic link followed.
    package static func resolve(_ url: URL) throws -> URL {
        let target = url.absoluteURL.standardizedFileURL
        var status = stat()
        guard lstat(target.path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK else { return target }
        guard let resolved = realpath(target.path, nil) else { throw StorageError.writing(target.path) }
        defer { free(resolved) }
        return URL(fileURLWithPath: String(cString: resolved))
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
    case nothing, file, folder, other

    /// - Parameter followingLinks: what a symbolic link leads to counts in its place;
    ///   one that leads nowhere is nothing.
    package init(at url: URL, followingLinks: Bool = false) {
        var status = stat()
        guard (followingLinks ? stat(url.path, &status) : lstat(url.path, &status)) == 0 else {
            self = .nothing
            return
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG: self = .file
        case S_IFDIR: self = .folder
        default: self = .other
        }
    }
}
