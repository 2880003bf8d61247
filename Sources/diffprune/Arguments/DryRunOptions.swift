import ArgumentParser
import Files
import Foundation
import Runs
import Workflows

/// For commands that make a run folder: what they would do, without doing it.
struct DryRunOptions: ParsableArguments {
    @Flag(
        help: ArgumentHelp(
            "Check everything and say what the run would take and do, by a few steps of which nothing is kept; write "
                + "nothing."))
    var dryRun = false

    /// Prints the forecast where one is asked for.
    ///
    /// - Parameter json: whether as JSON.
    /// - Returns: whether that was all.
    func print(_ options: RunOptions, json: Bool = false, _ forecast: () throws -> Forecast) throws -> Bool {
        guard dryRun else { return false }
        guard !options.resume else {
            throw RequestError.conflict("--dry-run says what a new run would take: expected it without --resume")
        }
        try Self.checkWritable(options.outputURL)
        let forecast = try forecast()
        try StandardStreams.write(json ? forecast.json.text() + "\n" : forecast.text())
        return true
    }

    /// Throws what making the folder would, as far as permissions tell.
    private static func checkWritable(_ url: URL) throws {
        var folder = url.absoluteURL.standardizedFileURL
        while folder.path != "/", !FileManager.default.fileExists(atPath: folder.path) {
            folder.deleteLastPathComponent()
        }
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder), isFolder.boolValue else {
            throw StorageError.notAFolder(path: folder.path)
        }
        guard access(folder.path, W_OK | X_OK) == 0 else {
            throw StorageError.unwritable(path: folder.path, reason: String(cString: strerror(errno)))
        }
    }
}

/// For commands whose forecast can be had as JSON.
struct ForecastFormat: ParsableArguments {
    @Flag(help: "With --dry-run: print JSON.")
    var json = false

    /// - Throws: `RequestError` where there is no forecast to print.
    func isJSON(_ trial: DryRunOptions) throws -> Bool {
        guard trial.dryRun || !json else { throw RequestError.conflict("--json is for --dry-run, which is missing") }
        return json
    }
}
