import Foundation

/// Folders that appear whole or not at all.
public enum AtomicFolder {
    /// Lets `build` fill a folder beside `url` and renames it to `url` when `build` returns.
    ///
    /// An existing folder at `url` is replaced: it steps aside under a hidden name, the new one steps in, the old one
    /// is deleted. A kill between the first two steps leaves the old folder under its hidden name, from where the next
    /// `write` or `recover` brings it back. A symbolic link at `url` is refused.
    /// - Throws: what `build` throws; `StorageError` where `url` is a file, its parent does not exist or cannot be
    ///   written, or space runs out. The folder under construction is then removed.
    @discardableResult
    public static func write<Result>(to url: URL, _ build: (URL) throws -> Result) throws -> Result {
        let target = try TemporarySibling.resolve(url)
        switch FileKind(at: target) {
        case .nothing, .folder: break
        case .file, .link, .other: throw StorageError.notAFolder(path: target.path)
        }
        let partial = TemporarySibling.partial(of: target)
        do {
            return try building(partial, for: target) {
                try empty(partial, for: target)
                try settleRetired(of: target)
                let result = try build(partial)
                synchronizeContents(of: partial)
                try Unfinished.uninterrupted { try swap(partial, into: target) }
                return result
            }
        } catch {
            // The hidden name would puzzle whoever reads the error; the folder under it is gone anyway.
            throw (error as? any FileNamingError)?.renaming(partial.path, to: target.path) ?? error
        }
    }

    /// Clears up after a run that was killed while it wrote or removed the folder at `url`: brings the old folder back
    /// where the new one had not yet taken its place, and deletes what was under construction.
    /// - Throws: `StorageError` where something is there that cannot be renamed or deleted.
    public static func recover(_ url: URL) throws {
        let target = try TemporarySibling.resolve(url)
        let partial = TemporarySibling.partial(of: target)
        let hasRemains = [partial, TemporarySibling.retired(of: target)].contains { FileKind(at: $0) == .folder }
        guard hasRemains else { return }
        let descriptor: Int32
        do {
            descriptor = try openLocked(partial, for: target)
        } catch StorageError.inUse {
            return  // The work of a living process, not remains.
        }
        defer { close(descriptor) }
        try settleRetired(of: target)
        try delete(partial, for: target)
    }

    /// Deletes the folder at `url`, which a kill never leaves there in part. Nothing at `url` is no error; of a
    /// symbolic link the link goes.
    /// - Throws: `StorageError` where `url` is a file or cannot be deleted.
    public static func remove(_ url: URL) throws {
        let target = url.absoluteURL.standardizedFileURL
        switch FileKind(at: target) {
        case .nothing: return
        case .folder: break
        case .link:
            guard unlink(target.path) == 0 else { throw StorageError.writing(target.path) }
            return
        case .file, .other: throw StorageError.notAFolder(path: target.path)
        }
        // Emptied under the name of a folder under construction, since what has the other name may be brought back.
        let partial = TemporarySibling.partial(of: target)
        try building(partial, for: target) {
            try empty(partial, for: target)
            guard rename(target.path, partial.path) == 0 else { throw StorageError.writing(target.path) }
            try delete(partial, for: target)
        }
    }

    /// Runs `body` while the hidden folder `partial` is there and locked;
    /// it does not outlive an error or an interruption.
    static func building<Result>(_ partial: URL, for target: URL, _ body: () throws -> Result) throws -> Result {
        var descriptor: Int32 = -1
        // Last of all: what is unlocked may be taken over.
        defer { if descriptor >= 0 { close(descriptor) } }
        return try Unfinished.building(
            making: { descriptor = try openLocked(partial, for: target) }, clearedBy: { Unfinished.clear(partial) },
            body)
    }

    private static func openLocked(_ partial: URL, for target: URL) throws -> Int32 {
        while true {
            if mkdir(partial.path, 0o777) != 0, errno != EEXIST {
                throw errno == ENOENT
                    ? StorageError.missing(path: target.deletingLastPathComponent().path)
                    : StorageError.writing(target.path)
            }
            let descriptor = open(partial.path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            guard descriptor >= 0 else {
                switch errno {
                case ENOENT: break
                case ENOTDIR, ELOOP: try TemporarySibling.removeFile(partial, for: target)
                default: throw StorageError.writing(target.path)
                }
                continue
            }
            do {
                if try TemporarySibling.lock(descriptor, at: partial, for: target) {
                    if owns(descriptor) { return descriptor }
                    // Its owner could go on changing what becomes the output.
                    try delete(partial, for: target)
                }
                close(descriptor)
            } catch {
                close(descriptor)
                throw error
            }
        }
    }

    private static func owns(_ descriptor: Int32) -> Bool {
        var status = stat()
        return fstat(descriptor, &status) == 0 && status.st_uid == geteuid()
    }

    /// Puts the retired folder back where its successor never came, and deletes it where it did.
    private static func settleRetired(of target: URL) throws {
        let retired = TemporarySibling.retired(of: target)
        guard FileKind(at: retired) == .folder else { return }
        if FileKind(at: target) == .nothing {
            guard rename(retired.path, target.path) == 0 else { throw StorageError.writing(target.path) }
        } else {
            try delete(retired, for: target)
        }
    }

    private static func swap(_ partial: URL, into target: URL) throws {
        let parent = target.deletingLastPathComponent()
        let retired = TemporarySibling.retired(of: target)
        let replaces = FileKind(at: target) == .folder
        if replaces {
            guard rename(target.path, retired.path) == 0 else { throw StorageError.writing(target.path) }
        }
        guard rename(partial.path, target.path) == 0 else {
            let error = StorageError.writing(target.path)
            if replaces { rename(retired.path, target.path) }
            throw error
        }
        TemporarySibling.synchronize(folder: parent)
        // The new folder is in place: remains of the old one are the next write's to clear, not a failure of this one.
        if replaces { try? FileManager.default.removeItem(at: retired) }
    }

    static func empty(_ folder: URL, for target: URL) throws {
        let names: [String]
        do {
            names = try FolderContents.names(folder)
        } catch let error as StorageError {
            throw StorageError.unwritable(path: target.path, reason: error.cause)
        }
        for name in names { try delete(folder.appendingPathComponent(name), for: target) }
    }

    static func delete(_ folder: URL, for target: URL) throws {
        guard FileKind(at: folder) != .nothing else { return }
        do {
            try FileManager.default.removeItem(at: folder)
        } catch {
            throw StorageError.inTheWay(folder, of: target, because: StorageError.cause(of: error))
        }
    }

    private static func synchronizeContents(of folder: URL) {
        TemporarySibling.synchronize(folder: folder)
        guard let items = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil) else { return }
        for case let item as URL in items {
            switch FileKind(at: item) {
            case .folder:
                TemporarySibling.synchronize(folder: item)
            case .file:
                let descriptor = open(item.path, O_RDONLY | O_CLOEXEC)
                guard descriptor >= 0 else { continue }
                fsync(descriptor)
                close(descriptor)
            case .nothing, .link, .other: continue
            }
        }
    }
}
