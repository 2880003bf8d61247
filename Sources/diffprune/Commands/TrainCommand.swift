import ArgumentParser
import Runs
import Workflows

struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Trains a diffusion model from scratch.",
        discussion: """
            The configuration has the sections model, scheduler (both with diffusers' keys), data and training. The \
            run folder gets config.yaml, metrics.jsonl, TensorBoard events, checkpoints/, samples/ and, at the end, \
            model/.

            Example: diffprune train --config configs/fashion-unet.yaml --output runs/fashion --set training.steps=2000
            """)

    @OptionGroup var options: RunOptions
    @OptionGroup var dtype: DTypeOption
    @OptionGroup var seed: SeedOption
    @OptionGroup var general: GeneralOptions

    mutating func run() throws {
        general.apply()
        try options.checkOutput()
        guard let file = options.configurationURL() else {
            throw RequestError.conflict(
                "--config is missing: expected a YAML file, or --resume with a run in the output folder")
        }
        let overrides = options.overrides + (seed.seed.map { ["training.seed=\($0)"] } ?? [])
        let configuration = try TrainingRunConfiguration(file: file, overrides: overrides)
        let types = try dtype.types ?? .float32
        let model = try options.running {
            try TrainingWorkflow(configuration, storedAs: types, in: options.context(general)).run()
        }
        try StandardStreams.write("model: \(model.path)\n")
    }
}
