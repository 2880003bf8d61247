import ArgumentParser
import Foundation
import Runs
import Workflows

struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Trains a diffusion model, or a classifier, from scratch.",
        discussion: """
            The configuration has the sections model, scheduler (both with diffusers' keys), data and training; of a \
            classifier model (architecture, widths…), data and training. The run folder gets config.yaml, \
            metrics.jsonl, TensorBoard events, checkpoints/, samples/ and, at the end, model/. A classifier is \
            measured on the data's test split.

            Example: diffprune train --config configs/fashion-unet.yaml --output runs/fashion --set training.steps=2000
            """)

    @OptionGroup var options: RunOptions
    @OptionGroup var trial: DryRunOptions
    @OptionGroup var output: ForecastFormat
    @OptionGroup var dtype: DTypeOption
    @OptionGroup var seed: SeedOption
    @OptionGroup var general: GeneralOptions

    mutating func run() throws {
        general.apply()
        try options.checkOutput()
        guard let file = try options.configurationURL() else {
            throw RequestError.conflict(
                "--config is missing: expected a YAML file, or --resume with a run in the output folder")
        }
        var flagged = FlaggedKeys(options.overrides)
        flagged.set("training.seed", flag: "--seed", to: seed.seed)
        let overrides = flagged.overrides
        if ClassifierTrainingRunConfiguration.isMeant(by: file, overrides: overrides) {
            let model = try train(
                flagged.naming { try ClassifierTrainingRunConfiguration(file: file, overrides: overrides) })
            try model.map { try ClassifierText.accuracy(of: $0) }.map(StandardStreams.write)
        } else {
            _ = try train(flagged.naming { try TrainingRunConfiguration(file: file, overrides: overrides) })
        }
    }

    /// - Returns: the model folder written; nil where nothing was.
    private func train<Plan: TrainingPlan>(_ plan: Plan) throws -> URL? {
        var configuration = plan
        try options.locate(&configuration.data)
        let type = try options.flag("dtype", given: dtype.dtype)
        let workflow = TrainingWorkflow(
            configuration, storedAs: try type.map(DTypeOption.types) ?? .float32,
            in: options.context(general, flags: ["dtype": type], data: configuration.data))
        if try trial.print(options, json: output.isJSON(trial), workflow.forecast) { return nil }
        let model = try options.running("train", general, workflow.run)
        try StandardStreams.write("model: \(model.path)\n")
        return model
    }
}
