import Foundation

/// Folders that commands write into.
public enum OutputFolder {
    /// Makes sure, before any work is done, that `url` is a folder that can be written,
    /// making it where it is not there.
    ///
    /// - Parameters:
    ///   - url: the folder.
    ///   - overwriting: lets the folder hold something already. Nothing is deleted here.
    ///   - followingLinks: lets `url` be a symbolic link to a folder: right for one that the user named, not for one
    ///     within a folder that may have come from elsewhere.
    /// - Returns: whether the folder was made by this call.
    /// - Throws: `StorageError.notAFolder` where `url` or a folder above it is a file, `.link`, `.folderNotEmpty`, or
    ///   `.unwritable` / `.noSpace` where the folder cannot be made or a file cannot be written in it.
    @discardableResult
    public static func prepare(_ url: URL, overwriting: Bool, followingLinks: Bool = true) throws -> Bool {
        let folder = url.absoluteURL.standardizedFileURL
        if !followingLinks, FileKind(at: folder) == .link { throw StorageError.link(path: folder.path) }
        let created = try Unfinished.uninterrupted { try makeFolders(folder) }
        do {
            if !created, !overwriting { try checkEmpty(folder) }
            try probe(folder)
        } catch {
            if created { FolderLock.removeEmpty(folder) }
            throw error
        }
        return created
    }

    /// Runs `body` on a folder as `prepare` makes it, with other processes kept out of it until `body` returns, and
    /// without what one that was killed in the midst of moving results there left of them.
    /// - Throws: as `prepare`; `StorageError.inUse` where another process writes there; what `body` throws.
    public static func claiming<Result>(
        _ url: URL, overwriting: Bool, _ body: () throws -> Result
    ) throws -> Result {
        let folder = url.absoluteURL.standardizedFileURL
        guard !claimed.contains(folder.path) else {
            try prepare(folder, overwriting: overwriting)
            return try body()
        }
        let lock = try claim(folder, overwriting: overwriting)
        return try $claimed.withValue(claimed + [folder.path]) { try withExtendedLifetime(lock, body) }
    }

    /// Folders that `claiming` keeps for what runs now, and that it may claim again.
    @TaskLocal private static var claimed: [String] = []

    /// The same for as long as the lock lives.
    public static func claim(_ url: URL, overwriting: Bool) throws -> FolderLock {
        let folder = url.absoluteURL.standardizedFileURL
        for _ in 0..<100 {
            // In one step: what takes away an interrupted process's empty folders has to know this one as its own.
            let (created, locked) = try Unfinished.uninterrupted {
                (try makeFolders(folder), try FolderLock.ifThere(folder))
            }
            // One that another process made, and takes away again since it was refused, is made anew.
            guard let lock = locked else { continue }
            do {
                // One that was made here may have been used by another process before it was locked.
                try StagedOutput.recover(folder, finishing: overwriting)
                if !overwriting { try checkEmpty(folder) }
                try probe(folder)
            } catch {
                if created { rmdir(folder.path) }
                throw error
            }
            return lock
        }
        throw StorageError.inUse(path: folder.path)
    }

    private static func checkEmpty(_ folder: URL) throws {
        // Hidden files, such as the ones desktops leave behind, are nobody's results.
        if try FolderContents.names(folder).contains(where: { !$0.hasPrefix(".") }) {
            throw StorageError.folderNotEmpty(path: folder.path)
        }
    }

    private static func makeFolders(_ folder: URL) throws -> Bool {
        var attempt = 0
        while true {
            var status = stat()
            if stat(folder.path, &status) == 0 {
                guard status.st_mode & S_IFMT == S_IFDIR else { throw StorageError.notAFolder(path: folder.path) }
                return false
            }
            let reason = errno
            let kind = FileKind(at: folder)
            // Another process has made it between the two looks.
            if reason == ENOENT, kind == .folder, attempt < 100 {
                attempt += 1
                continue
            }
            // A file among the folders above, a link that leads nowhere, a folder that may not be entered.
            if reason == ENOTDIR || kind != .nothing { throw StorageError.notAFolder(path: folder.path) }
            guard reason == ENOENT else {
                errno = reason
                throw StorageError.writing(folder.path)
            }
            let parent = folder.deletingLastPathComponent()
            if parent.path != folder.path { _ = try makeFolders(parent) }
            if mkdir(folder.path, 0o777) == 0 { return true }
            attempt += 1
            switch errno {
            // Made meanwhile by another process: looked at again.
            case EEXIST where attempt < 100: continue
            // A folder above was taken away again by the process that had made it.
            case ENOENT where attempt < 100 && parent.path != folder.path: continue
            default: throw StorageError.writing(folder.path)
            }
        }
    }

    /// Writes one byte to a file in the folder: permissions alone do not tell of read-only or full disks. The file has
    /// no name where the system can do without, else one that it loses at once; a kill in between leaves it to the
    /// next.
    private static func probe(_ folder: URL) throws {
        let descriptor = try Unfinished.uninterrupted { try openUnnamed(in: folder) }
        try FileSink(descriptor: descriptor, path: folder.path).write([0])
    }

    private static func openUnnamed(in folder: URL) throws -> Int32 {
        #if os(Linux)
            // O_TMPFILE, whose macro Swift does not import: __O_TMPFILE and O_DIRECTORY.
            let descriptor = open(folder.path, O_WRONLY | 0o20_000_000 | O_DIRECTORY | O_CLOEXEC, 0o666)
            if descriptor >= 0 { return descriptor }
        // File systems without such files, and older systems, each say so in their own way; what else is wrong shows
        // below.
        #endif
        let file = folder.appendingPathComponent(".write-test")
        while true {
            let descriptor = open(file.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
            if descriptor >= 0 {
                unlink(file.path)
                return descriptor
            }
            guard errno == EEXIST else { throw StorageError.writing(folder.path) }
            guard unlink(file.path) == 0 || errno == ENOENT else { throw StorageError.inTheWay(file, of: folder) }
        }
    }
}
