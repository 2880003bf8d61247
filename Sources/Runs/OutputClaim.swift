import Files
import Foundation

/// Remembers what was at an output before a command began, so that a refused one leaves nothing behind.
public struct OutputClaim: Sendable {
    private let url: URL
    /// Folders that were not there, innermost first.
    private let missing: [URL]
    private let wasEmpty: Bool

    public init(_ url: URL) {
        self.url = url.absoluteURL.standardizedFileURL
        var missing: [URL] = []
        var folder = self.url
        while FileKind(at: folder, followingLinks: true) == .nothing, folder.path != "/" {
            missing.append(folder)
            folder.deleteLastPathComponent()
        }
        self.missing = missing
        wasEmpty = missing.isEmpty ? Self.contents(of: self.url).isEmpty : true
    }

    /// Runs `body`; where it throws before anything worth keeping was written, takes away what was made.
    ///
    /// A run that was asked to stop can be resumed, however little it has done, and so can that of an interrupted
    /// process; but that leaves no folders that hold nothing.
    public static func holding<Result>(_ url: URL, _ body: () throws -> Result) throws -> Result {
        let claim = OutputClaim(url)
        do {
            return try Unfinished.clearing(
                by: { $0 == .failure ? claim.release(ending: true) : claim.removeEmptyFolders(ending: true) }, body)
        } catch let stop as RunStopped {
            throw stop
        } catch {
            claim.release()
            throw error
        }
    }

    /// A run is worth keeping as soon as its log holds a line or there is a checkpoint; folders only where they hold
    /// something.
    ///
    /// - Parameter ending: whether the process ends now; the folder may then still be locked by what it was doing.
    private func release(ending: Bool = false) {
        guard wasEmpty else { return }
        // A run that another process began there meanwhile is not this one's to take away.
        if let lock = try? FolderLock(url) {
            withExtendedLifetime(lock, removeBareRun)
        } else if ending, FolderLock.isHeld(url) {
            removeBareRun()
        }
        removeEmptyFolders(ending: ending)
    }

    private func removeBareRun() {
        // Folders go if nothing is in them.
        if FileKind(at: url.appendingPathComponent("run.json")) == .file {
            for name in ["checkpoints", "samples"] { rmdir(url.appendingPathComponent(name).path) }
        }
        let contents = Self.contents(of: url)
        let isBareRun = contents.allSatisfy {
            $0 == "config.yaml" || $0 == "run.json" || $0.hasPrefix("events.out.tfevents.")
                || ($0 == "metrics.jsonl" && hasNothingLogged)
        }
        if isBareRun, contents.contains("run.json") {
            for name in contents { unlink(url.appendingPathComponent(name).path) }
        }
    }

    private func removeEmptyFolders(ending: Bool) {
        for folder in missing { FolderLock.removeEmpty(folder, ending: ending) }
    }

    private var hasNothingLogged: Bool {
        let attributes = try? FileManager.default.attributesOfItem(
            atPath: url.appendingPathComponent("metrics.jsonl").path)
        return (attributes?[.size] as? NSNumber)?.intValue == 0
    }

    private static func contents(of url: URL) -> [String] { (try? FolderContents.names(url)) ?? [] }
}

/// Files that commands write.
public enum OutputFile {
    /// Makes sure, before any work is done, that a file can be written at `url`. Nothing is made or changed.
    ///
    /// - Throws: `StorageError`.
    public static func check(_ url: URL) throws {
        let target = url.absoluteURL.standardizedFileURL
        switch try FileKind(reading: target, followingLinks: false) {
        case .nothing, .file: break
        case .link: throw StorageError.link(path: url.path)
        case .folder, .other: throw StorageError.notARegularFile(path: url.path)
        }
        let parent = target.deletingLastPathComponent()
        guard try FileKind(reading: parent) != .nothing else { throw StorageError.missing(path: parent.path) }
        try OutputFolder.prepare(parent, overwriting: true)
    }
}
