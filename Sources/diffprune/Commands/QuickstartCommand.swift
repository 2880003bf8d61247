import ArgumentParser
import Files
import Foundation
import Runs
import Workflows

struct QuickstartCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quickstart", abstract: "Prunes the bundled model and shows what that changed, in minutes.",
        discussion: """
            Prunes and fine-tunes the bundled Fashion-MNIST model, draws images from it and from the dense one from \
            the same noise, compares them and writes report.html, grid.png, metrics.json, images/ and the run folder \
            run/. Settings come from configs/quickstart.yaml beside the Samples folder.

            Example: diffprune quickstart --output quickstart
            """)

    @Option(
        help: ArgumentHelp("Folder to write, new or empty (default: a new ./diffprune-quickstart).", valueName: "dir"))
    var output: String?

    @Option(
        help: ArgumentHelp(
            "The Samples folder of the source tree (default: looked for here and beside the program).", valueName: "dir"
        ))
    var samples: String?

    @Option(help: ArgumentHelp("Run configuration, YAML, as prune takes it.", valueName: "file"))
    var config: String?

    @Option(
        name: .customLong("set"), parsing: .upToNextOption,
        help: ArgumentHelp("Configuration values that take the place of the file's.", valueName: "key=value"))
    var overrides: [String] = []

    @Option(help: ArgumentHelp("Images drawn by each model.", valueName: "n"))
    var count = 64

    @Option(help: ArgumentHelp("Sampling steps.", valueName: "n"))
    var steps = 50

    @Flag(help: "Go on with the quick start in the output folder, given as it began.")
    var resume = false

    @Flag(help: "Print metrics.json instead of a table.")
    var json = false

    @OptionGroup var seed: SeedOption
    @OptionGroup var general: GeneralOptions

    mutating func run() throws {
        general.apply()
        var settings = EvaluationSettings()
        settings.count = count
        settings.steps = steps
        if let seed = seed.seed { settings.seed = UInt64(seed) }
        var flagged = FlaggedKeys(overrides)
        flagged.set("pruning.seed", "finetuning.seed", flag: "--seed", to: seed.seed)
        flagged.name("count", as: "--count")
        flagged.name("steps", as: "--steps")
        guard !resume || output != nil else {
            throw RequestError.conflict("--resume needs --output, the folder to go on in")
        }
        let here = URL(fileURLWithPath: FileManager.default.currentDirectoryPath)
        let url = output.map { URL(fileURLWithPath: $0) } ?? QuickstartWorkflow.freshFolder(in: here)
        var context = RunContext(
            output: url, occupied: resume ? .resumed : .refused, command: CommandLine.shellText,
            progress: general.progress, warning: general.warning)
        context.interruption = Signals.interruption
        do {
            let outcome = try OutputClaim.holding(url) {
                try OccupiedFolder.explained {
                    try flagged.naming {
                        try QuickstartWorkflow(
                            samples: BundledSamples(folder: samples.map { URL(fileURLWithPath: $0) }),
                            configuration: config.map { URL(fileURLWithPath: $0) }, overrides: flagged.overrides,
                            evaluation: settings, in: context
                        ).run()
                    }
                }
            }
            for warning in outcome.evaluation.warnings { StandardStreams.warn(warning) }
            try StandardStreams.write((json ? outcome.evaluation.json().text(.python) : outcome.summary) + "\n")
        } catch let stop as RunStopped {
            let more = (output == nil ? ["--output", url.path] : []) + (resume ? [] : ["--resume"])
            throw StoppedCommand(stop, goOnWith: CommandLine.shellText(adding: more))
        }
    }
}
