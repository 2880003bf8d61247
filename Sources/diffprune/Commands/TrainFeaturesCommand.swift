import ArgumentParser
import Files
import Foundation
import Reports
import Runs
import Workflows

struct TrainFeaturesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train-features", abstract: "Trains the classifier whose features Fréchet distances are taken in.",
        discussion: """
            The configuration has the sections data (labelled images with a train and a test or validation split) \
            and features; --data and --set do without a file. Then evaluate takes the folder by --features.

            Example: diffprune train-features --data my-images --set features.input_size=32 features.channels=3 \
            --output my-features
            """)

    @Option(help: ArgumentHelp("Configuration, YAML.", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("Folder of labelled images, in place of data.path.", valueName: "path"))
    var data: String?

    @Option(help: ArgumentHelp("Folder to write; must be new or empty.", valueName: "dir"))
    var output: String

    @Option(
        name: .customLong("set"), parsing: .upToNextOption,
        help: ArgumentHelp("Configuration values that take the place of the file's.", valueName: "key=value"))
    var overrides: [String] = []

    @OptionGroup var seed: SeedOption
    @OptionGroup var general: GeneralOptions

    mutating func run() throws {
        general.apply()
        var flagged = FlaggedKeys(overrides)
        flagged.set("features.seed", flag: "--seed", to: seed.seed)
        let result = try flagged.naming {
            var configuration = try FeatureTrainingConfiguration(
                file: config.map { URL(fileURLWithPath: $0) }, overrides: flagged.overrides)
            configuration.data.path = data ?? configuration.data.path
            return try FeatureTrainingWorkflow(
                configuration, in: RunContext(output: URL(fileURLWithPath: output), progress: general.progress)
            ).run()
        }
        try StandardStreams.write(
            "test accuracy: \(NumberText.percent(result.testAccuracy)) of \(result.testCount) images\n")
    }
}
