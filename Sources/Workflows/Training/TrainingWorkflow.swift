import Configuration
import Datasets
import Diffusion
import Files
import Foundation
import Imagery
import ModelFolders
import Models
import Runs

/// Everything that defines a training run.
public struct TrainingRunConfiguration {
    public var model: UNetConfiguration
    public var scheduler: SchedulerConfiguration
    public var data: DataConfiguration
    public var training: DenoisingTrainingConfiguration

    static let sections = ["model", "scheduler", "data", "training"]
    private static let modelClass = "UNet2DModel"
    /// What diffusers writes into every `config.json` beside the model's own keys.
    private static let signature = ["_class_name", "_diffusers_version", "_name_or_path"]

    /// Reads the sections `model` and `scheduler` (diffusers' keys), `data` and `training`.
    public init(file: URL, overrides: [String] = []) throws {
        let document = try ConfigurationDocument(
            file: file, overrides: overrides, sections: Self.sections,
            defaults: [
                "model": JSONValue(encoding: UNetConfiguration()),
                "scheduler": JSONValue(encoding: SchedulerConfiguration()),
                "data": JSONValue(snakeCasing: DataConfiguration()),
                "training": JSONValue(snakeCasing: DenoisingTrainingConfiguration()),
            ])
        if let name = try document.text("model", "_class_name"), name != Self.modelClass {
            throw SettingError(key: "model._class_name", got: "'\(name)'", expected: Self.modelClass)
        }
        model = try document.verbatimSection(
            "model", defaults: UNetConfiguration(), ignoring: Self.signature
        ) { try $0.validate() }
        let named = try document.text("scheduler", "_class_name").flatMap(SchedulerClass.init)
        scheduler = try document.verbatimSection("scheduler", defaults: SchedulerConfiguration(of: named ?? .ddpm))
        data = try document.section("data")
        training = try document.section("training")
    }

    /// Every section with all its keys.
    var values: JSONValue {
        get throws {
            [
                "model": try JSONValue(encoding: model), "scheduler": try JSONValue(encoding: scheduler),
                "data": try JSONValue(snakeCasing: data), "training": try JSONValue(snakeCasing: training),
            ]
        }
    }

    public var yaml: String { get throws { try values.yaml } }
}

/// Trains a diffusion model from scratch: checkpoints, sample grids, logs, and the averaged weights as a model folder.
public struct TrainingWorkflow {
    private let configuration: TrainingRunConfiguration
    private let weightTypes: WeightTypes
    private let context: RunContext

    /// - Parameters:
    ///   - configuration: everything that defines the run.
    ///   - weightTypes: what the result's weights are stored as.
    ///   - context: where it writes, and who is told of it.
    public init(
        _ configuration: TrainingRunConfiguration, storedAs weightTypes: WeightTypes = .float32, in context: RunContext
    ) {
        self.configuration = configuration
        self.weightTypes = weightTypes
        self.context = context
    }

    /// What `run` would take; nothing is written.
    public func forecast() throws -> Forecast {
        let (trainer, _) = try prepared()
        return try TrainingLoop(trainer, configuration.scheduler, configuration.training, in: context).forecast()
    }

    private func prepared() throws -> (trainer: DenoisingTrainer<UNet>, data: InMemoryDataset) {
        let settings = configuration.training
        let model = try UNet(configuration.model)
        context.progress?(ProgressUpdate(phase: "reading images"))
        let data = try configuration.data.open(for: model)
        model.initialize(seed: UInt64(settings.seed))
        let trainer = try DenoisingTrainer(
            denoising: model, configuration.scheduler, images: data, flip: configuration.data.flip, settings: settings)
        try trainer.task.objective.check(model)
        return (trainer, data)
    }

    /// - Returns: the model folder written.
    @discardableResult
    public func run() throws -> URL {
        let settings = configuration.training
        let (trainer, data) = try prepared()
        let identity = try RunIdentity(command: "train", configuration: configuration.values, data: data)
        let folder = try context.open(identity, growth: settings.training.growth(section: "training"))
        let training = TrainingLoop(trainer, configuration.scheduler, settings, in: context)
        try folder.carryOut(
            in: context, keepingCheckpoints: settings.keepCheckpoints, restore: training.restore
        ) {
            try training.run(phase: "training", in: folder, context.progress)
            try training.finish(in: folder)
            var result = Pipeline(model: trainer.network, scheduler: configuration.scheduler)
            result.weightTypes = weightTypes
            try trainer.withResultWeights { try PipelineFolder(folder.modelURL).save(result) }
        }
        return folder.modelURL
    }
}
