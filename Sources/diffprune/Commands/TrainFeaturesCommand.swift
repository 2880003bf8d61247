import ArgumentParser
import Configuration
import Foundation
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
        let document = try ConfigurationDocument(
            file: config.map { URL(fileURLWithPath: $0) },
            overrides: overrides + (seed.seed.map { ["features.seed=\($0)"] } ?? []), sections: ["data", "features"])
        var configuration = FeatureTrainingConfiguration()
        configuration.data = try document.section("data")
        configuration.data.path = data ?? configuration.data.path
        configuration.features = try document.section("features", defaults: FeatureTrainingSettings())
        let result = try FeatureTrainingWorkflow(
            configuration, in: RunContext(output: URL(fileURLWithPath: output), progress: general.progress)
        ).run()
        try StandardStreams.write("test accuracy: \(result.testAccuracy) of \(result.testCount) images\n")
    }
}
