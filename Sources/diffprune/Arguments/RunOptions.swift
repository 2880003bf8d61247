import ArgumentParser
import Files
import Foundation
import Runs

/// For commands that make a run folder from a configuration.
struct RunOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Run configuration, YAML.", valueName: "file"))
    var config: String?

    @Option(
        help: ArgumentHelp("Run folder to write; must be new or empty, unless the run is resumed.", valueName: "dir"))
    var output: String

    @Flag(help: "Go on with the run in the output folder, with the configuration stored there.")
    var resume = false

    @Option(
        name: .customLong("set"), parsing: .upToNextOption,
        help: ArgumentHelp("Configuration values that take the place of the file's.", valueName: "key=value"))
    var overrides: [String] = []

    var outputURL: URL { URL(fileURLWithPath: output) }

    /// Where the configuration is read from: the file named, or what a resumed run stored; nil for neither.
    ///
    /// - Parameter others: whether flags that say what the run is are there beside `--config`.
    func configurationURL(replacedBy others: Bool = false) -> URL? {
        if let config { return URL(fileURLWithPath: config) }
        let stored = outputURL.appendingPathComponent("config.yaml")
        return resume && !others && FileManager.default.fileExists(atPath: stored.path) ? stored : nil
    }

    /// Refuses an output that is occupied before anything else is looked at.
    func checkOutput() throws {
        try explainingOccupied {
            let contents = try? FileManager.default.contentsOfDirectory(atPath: outputURL.path)
            if !resume, let contents, contents.contains(where: { !$0.hasPrefix(".") }) {
                throw StorageError.folderNotEmpty(path: outputURL.path)
            }
        }
    }

    /// Runs `body`, putting an occupied output into words that fit the flags.
    func explainingOccupied<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch StorageError.folderNotEmpty(let path) where !resume {
            throw RequestError.conflict(
                "\(path): the folder already holds something; name a new or empty one, "
                    + "or add --resume to go on with a run there")
        } catch StorageError.folderNotEmpty(let path) {
            throw RequestError.conflict(
                "\(path): there is no run to resume, but something else; name a new or empty folder")
        }
    }

    /// What a run is told of its surroundings.
    func context(_ general: GeneralOptions) -> RunContext {
        RunContext(
            output: outputURL, occupied: resume ? .resumed : .refused, progress: general.progress,
            warning: general.warning)
    }

    /// Runs a workflow; a refused one leaves nothing behind.
    func running<Result>(_ body: () throws -> Result) throws -> Result {
        try explainingOccupied { try OutputClaim.holding(outputURL, body) }
    }
}
