import Foundation

/// Results that belong together: built in a hidden folder within the output folder,
/// and moved into it when all are there.
public enum StagedOutput {
    /// Lets `build` fill a hidden folder, then moves all that is in it to `folder`,
    /// taking the place of what has the same names there.
    ///
    /// A full disk or an interruption leaves nothing; only a kill that cannot be caught, and falls between two renames,
    /// leaves a part of the results, each whole.
    /// - Throws: what `build` throws; `StorageError`.
    public static func write<Result>(into folder: URL, _ build: (URL) throws -> Result) throws -> Result {
        let target = try TemporarySibling.resolve(folder)
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
            throw (error as? StorageError)?.renaming(staging.path, to: target.path) ?? error
        }
    }

    private static func move(from staging: URL, to target: URL) throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: staging.path).sorted()
        for name in names where FileKind(at: target.appendingPathComponent(name)) == .folder {
            try AtomicFolder.remove(target.appendingPathComponent(name))
        }
        try Unfinished.uninterrupted {
            for name in names {
                let place = target.appendingPathComponent(name).path
                guard rename(staging.appendingPathComponent(name).path, place) == 0 else {
                    throw StorageError.writing(place)
                }
            }
            rmdir(staging.path)
        }
        TemporarySibling.synchronize(folder: target)
    }
}
