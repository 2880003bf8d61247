import Foundation

/// Folders that commands write into.
public enum OutputFolder {
    /// Makes sure, before any work is done, that `url` is a folder that can be written,
    /// making it where it is not there.
    ///
    /// - Parameters:
    ///   - url: the folder.
    ///   - overwriting: lets the folder hold something already. Nothing is deleted here.
    /// - Returns: whether the folder was made by this call.
    /// - Throws: `StorageError.notAFolder` where `url` or a folder above it is a file, `.folderNotEmpty`, or
    ///   `.unwritable` / `.noSpace` where the folder cannot be made or a file cannot be written in it.
    @discardableResult
    public static func prepare(_ url: URL, overwriting: Bool) throws -> Bool {
        let folder = url.absoluteURL.standardizedFileURL
        let created = try makeFolders(folder)
        if !created, !overwriting {
            let contents: [String]
            do {
                contents = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            } catch {
                throw StorageError.unreadable(path: folder.path, reason: "its contents cannot be listed")
            }
            // Hidden files, such as the ones desktops leave behind, are nobody's results.
            if contents.contains(where: { !$0.hasPrefix(".") }) { throw StorageError.folderNotEmpty(path: folder.path) }
        }
        do {
            try probe(folder)
        } catch {
            if created { rmdir(folder.path) }
            throw error
        }
        return created
    }

    private static func makeFolders(_ folder: URL) throws -> Bool {
        var status = stat()
        if stat(folder.path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFDIR else { throw StorageError.notAFolder(path: folder.path) }
            return false
        }
        // A file among the folders above, a link that leads nowhere, a folder that may not be entered.
        if errno == ENOTDIR || FileKind(at: folder) != .nothing { throw StorageError.notAFolder(path: folder.path) }
        guard errno == ENOENT else { throw StorageError.writing(folder.path) }
        let parent = folder.deletingLastPathComponent()
        if parent.path != folder.path { _ = try makeFolders(parent) }
        guard mkdir(folder.path, 0o777) == 0 || errno == EEXIST else { throw StorageError.writing(folder.path) }
        return true
    }

    /// Writes one byte to a file in the folder and removes it:
    /// permissions alone do not tell of read-only or full disks.
    private static func probe(_ folder: URL) throws {
        let file = folder.appendingPathComponent(".write-test-\(getpid())")
        try Unfinished.uninterrupted {
            let descriptor = open(file.path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o666)
            guard descriptor >= 0 else { throw StorageError.writing(folder.path) }
            // Without a name while it is written to: a kill leaves nothing.
            unlink(file.path)
            try FileSink(descriptor: descriptor, path: folder.path).write([0])
        }
    }
}
