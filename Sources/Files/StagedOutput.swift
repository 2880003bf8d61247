import Foundation

/// Results that belong together: built in a hidden folder within the output folder, and moved into it when all are
/// there.
///
/// Before the first is moved, the hidden folder gets a list of what is to be moved and another name, which says that
/// the results are whole. Whoever finds it knows what in the output folder is of them, and can finish the work or undo
/// it.
public enum StagedOutput {
    private static let listName = ".list"

    /// Lets `build` fill a hidden folder, then moves all that is in it to `folder`, taking the place of what has the
    /// same names there.
    ///
    /// A full disk or an interruption leaves nothing; what a kill that cannot be caught leaves, `recover` settles.
    /// - Throws: what `build` throws; `StorageError`.
    public static func write<Result>(into folder: URL, _ build: (URL) throws -> Result) throws -> Result {
        let target = folder.absoluteURL.standardizedFileURL
        let staging = TemporarySibling.partial(of: target.appendingPathComponent("results"))
        do {
            return try AtomicFolder.building(staging, for: target) {
                try AtomicFolder.empty(staging, for: target)
                let result = try build(staging)
                try move(from: staging, to: target)
                return result
            }
        } catch {
            // The hidden name would puzzle whoever reads the error; the folder under it is gone anyway.
            throw (error as? any FileNamingError)?.renaming(staging.path, to: target.path) ?? error
        }
    }

    private static func moving(of target: URL) -> URL { target.appendingPathComponent(".results.moving") }

    private static func move(from staging: URL, to target: URL) throws {
        let moving = moving(of: target)
        try recover(target, finishing: true)
        let names = try FolderContents.names(staging)
        var list: [String: JSONValue] = [:]
        for name in names { list[name] = mark(of: staging.appendingPathComponent(name)).map { .string($0) } }
        do {
            try JSONFile.write(.object(list), to: staging.appendingPathComponent(listName))
        } catch let error as StorageError {
            // The list is nobody's to look for.
            throw error.renaming(staging.appendingPathComponent(listName).path, to: target.path)
        }
        try removeFolders(names, in: target)
        try Unfinished.uninterrupted {
            guard rename(staging.path, moving.path) == 0 else { throw StorageError.writing(target.path) }
            do {
                try finish(names, from: moving, to: target)
            } catch {
                try? undo(list, from: moving, to: target)
                throw error
            }
        }
        TemporarySibling.synchronize(folder: target)
    }

    /// Settles what a killed process left that was moving results into `folder`. Nothing else is touched: of what has
    /// the name of a result only what is that result.
    ///
    /// - Parameter finishing: moves the rest too; otherwise what was moved is taken away, so that the folder is as it
    ///   was before, unless all was moved and only the hidden folder had to go.
    static func recover(_ folder: URL, finishing: Bool) throws {
        let target = folder.absoluteURL.standardizedFileURL
        let moving = moving(of: target)
        guard FileKind(at: moving) == .folder else { return }
        let rest = try FolderContents.names(moving).filter { $0 != listName }
        let listURL = moving.appendingPathComponent(listName)
        if rest.isEmpty || FileKind(at: listURL) != .file {
            try AtomicFolder.delete(moving, for: target)
        } else if finishing {
            try removeFolders(rest, in: target)
            try finish(rest, from: moving, to: target)
        } else {
            try undo(JSONFile.read(listURL).objectValue ?? [:], from: moving, to: target)
        }
    }

    /// Former results that no rename can replace.
    private static func removeFolders(_ names: [String], in target: URL) throws {
        for name in names where FileKind(at: target.appendingPathComponent(name)) == .folder {
            try AtomicFolder.remove(target.appendingPathComponent(name))
        }
    }

    private static func finish(_ names: [String], from moving: URL, to target: URL) throws {
        for name in names {
            let place = target.appendingPathComponent(name).path
            guard rename(moving.appendingPathComponent(name).path, place) == 0 else {
                throw StorageError.writing(place)
            }
        }
        unlink(moving.appendingPathComponent(listName).path)
        rmdir(moving.path)
    }

    private static func undo(_ list: [String: JSONValue], from moving: URL, to target: URL) throws {
        for (name, mark) in list where !name.contains("/") && !name.hasPrefix(".") {
            let place = target.appendingPathComponent(name)
            guard let present = self.mark(of: place), present == mark.stringValue else { continue }
            try AtomicFolder.delete(place, for: target)
        }
        try AtomicFolder.delete(moving, for: target)
    }

    /// What a file or folder is known by under any name, nil where there is none: its number, which another gets once
    /// it is deleted, and when its content last changed.
    package static func mark(of url: URL) -> String? {
        var status = stat()
        guard lstat(url.path, &status) == 0 else { return nil }
        #if canImport(Darwin)
            let changed = status.st_mtimespec
        #else
            let changed = status.st_mtim
        #endif
        return "\(status.st_ino) \(changed.tv_sec).\(changed.tv_nsec)"
    }
}
