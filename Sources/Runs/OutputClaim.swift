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
        while !FileManager.default.fileExists(atPath: folder.path), folder.path != "/" {
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
            return try Unfinished.clearing(by: { claim.removeEmptyFolders() }, body)
        } catch let stop as RunStopped {
            throw stop
        } catch {
            claim.release()
            throw error
        }
    }

    /// A run is worth keeping as soon as its log holds a line or there is a checkpoint; folders only where they hold
    /// something.
    private func release() {
        guard wasEmpty else { return }
        let contents = Self.contents(of: url)
        let isBareRun = contents.allSatisfy {
            $0 == "config.yaml" || $0 == "run.json" || $0.hasPrefix("events.out.tfevents.")
                || ($0 == "metrics.jsonl" && hasNothingLogged)
        }
        if isBareRun, contents.contains("run.json") {
            for name in contents { unlink(url.appendingPathComponent(name).path) }
        }
        removeEmptyFolders()
    }

    private func removeEmptyFolders() {
        for folder in missing { rmdir(folder.path) }
    }

    private var hasNothingLogged: Bool {
        let attributes = try? FileManager.default.attributesOfItem(
            atPath: url.appendingPathComponent("metrics.jsonl").path)
        return (attributes?[.size] as? NSNumber)?.intValue == 0
    }

    private static func contents(of url: URL) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []).sorted()
    }
}

/// Files that commands write.
public enum OutputFile {
    /// Makes sure, before any work is done, that a file can be written at `url`. Nothing is made or changed.
    ///
    /// - Throws: `StorageError`.
    public static func check(_ url: URL) throws {
        let target = url.absoluteURL.standardizedFileURL
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: target.path, isDirectory: &isFolder), isFolder.boolValue {
            throw StorageError.notARegularFile(path: url.path)
        }
        let parent = target.deletingLastPathComponent()
        guard FileManager.default.fileExists(atPath: parent.path) else { throw StorageError.missing(path: parent.path) }
        try OutputFolder.prepare(parent, overwriting: true)
    }
}
