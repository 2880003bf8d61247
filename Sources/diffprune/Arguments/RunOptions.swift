import ArgumentParser
import Datasets
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

    @Flag(help: "Go on with the run in the output folder, which knows all that it began with.")
    var resume = false

    @Option(
        name: .customLong("set"), parsing: .upToNextOption,
        help: ArgumentHelp("Configuration values that take the place of the file's.", valueName: "key=value"))
    var overrides: [String] = []

    var outputURL: URL { URL(fileURLWithPath: output) }

    /// Where the configuration is read from: the file named, or what a resumed run stored; nil for neither.
    ///
    /// - Parameters:
    ///   - others: whether a flag is there that takes the place of the file.
    ///   - isComplete: whether flags say enough for a new run.
    /// - Throws: `RequestError` where only a run in the output folder could say what is to be done, and none is there;
    ///   `RunFolder.Failure` for what cannot be resumed, before anything is said of its keys.
    func configurationURL(replacedBy others: Bool = false, isComplete: Bool = false) throws -> URL? {
        if let config { return URL(fileURLWithPath: config) }
        guard resume, !others else { return nil }
        _ = try RunRecord(folder: outputURL).read()
        let stored = outputURL.appendingPathComponent("config.yaml")
        if FileManager.default.fileExists(atPath: stored.path) { return stored }
        guard isComplete else { throw noRun }
        return nil
    }

    private var noRun: RequestError { .conflict("there is no run in \(output)") }

    /// Refuses an output that is occupied before anything else is looked at.
    func checkOutput() throws {
        try explainingOccupied {
            let contents = try? FolderContents.names(outputURL)
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

    // MARK: what a resumed run knows

    /// Where what the run works on lies: as given, or as a resumed run noted it; nil for neither.
    ///
    /// - Throws: `RequestError` where a resumed run is not there, or what it noted is gone.
    func path(of name: String, given: String?) throws -> String? {
        if given != nil || !resume { return given }
        guard let record = try RunRecord(folder: outputURL).read() else { throw noRun }
        guard let path = record.places[name] else {
            guard record.identity.inputs[name] != nil else { return nil }
            throw RequestError.conflict("the run in \(output) does not say where its \(name) is: add --\(name)")
        }
        guard FileManager.default.fileExists(atPath: path) else {
            throw RequestError.conflict(
                "the \(name) of the run in \(output) is no longer at \(path): name where it is by --\(name)")
        }
        return path
    }

    /// A flag that the configuration has no key for: as given, or as a resumed run was; nil for neither.
    func flag(_ name: String, given: String?) throws -> String? {
        if given != nil || !resume { return given }
        return try RunRecord(folder: outputURL).read()?.flags[name]
    }

    /// Finds a resumed run's images from another working directory than the one it began in.
    func locate(_ data: inout DataConfiguration) throws {
        guard resume, !data.path.isEmpty, !FileManager.default.fileExists(atPath: data.path),
            let path = try RunRecord(folder: outputURL).read()?.places["data"],
            FileManager.default.fileExists(atPath: path)
        else { return }
        data.path = path
    }

    // MARK: running

    /// What a run is told of its surroundings.
    ///
    /// - Parameters:
    ///   - models: where the models that it works on lie, by name.
    ///   - flags: what was asked for beside the configuration, by flag; nil for what was not.
    func context(
        _ general: GeneralOptions, models: [String: String] = [:], flags: [String: String?], data: DataConfiguration
    ) -> RunContext {
        var places = models.mapValues { URL(fileURLWithPath: $0) }
        if !data.path.isEmpty { places["data"] = URL(fileURLWithPath: data.path) }
        return RunContext(
            output: outputURL, occupied: resume ? .resumed : .refused, command: CommandLine.shellText, places: places,
            flags: flags.compactMapValues { $0 }, interruption: Signals.interruption, progress: general.progress,
            warning: general.warning)
    }

    /// Runs a workflow of `command`; a refused one leaves nothing behind, and one that was asked to stop says how to go
    /// on.
    func running<Result>(
        _ command: String, _ general: GeneralOptions, _ body: () throws -> Result
    ) throws -> Result {
        do {
            return try explainingOccupied { try OutputClaim.holding(outputURL, body) }
        } catch let stop as RunStopped {
            throw StoppedCommand(
                stop, goOnWith: CommandLine.resuming(command, output: output, general.repeated))
        }
    }
}
