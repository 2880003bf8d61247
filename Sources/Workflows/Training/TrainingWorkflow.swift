import Configuration
import Datasets
import Diffusion
import Files
import Foundation
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

    /// Reads the sections `model` and `scheduler` (diffusers' keys), `data` and `training`.
    public init(file: URL, overrides: [String] = []) throws {
        let document = try ConfigurationDocument(file: file, overrides: overrides, sections: Self.sections)
        model = try document.verbatimSection("model", defaults: UNetConfiguration()) { try $0.validate() }
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

    /// - Returns: the model folder written.
    @discardableResult
    public func run() throws -> URL {
        let settings = configuration.training
        let model = try UNet(configuration.model)
        let data = try configuration.data.open(for: model)
        model.initialize(seed: UInt64(settings.seed))
        let trainer = try DenoisingTrainer(
            denoising: model, configuration.scheduler, images: data, flip: configuration.data.flip, settings: settings)
        try trainer.task.objective.check(model)
        let identity = try RunIdentity(command: "train", configuration: configuration.values, data: data)
        let folder = try context.open(identity, growth: settings.training.growth(section: "training"))
        let training = TrainingLoop(trainer, configuration.scheduler, settings, progress: context.progress)
        if context.isResuming { try folder.resume(warning: context.warning, restore: training.restore) }
        try training.run(until: settings.steps, phase: "training", in: folder)
        try training.finish(in: folder)
        var result = Pipeline(model: trainer.network, scheduler: configuration.scheduler)
        result.weightTypes = weightTypes
        try trainer.withResultWeights { try PipelineFolder(folder.modelURL).save(result) }
        return folder.modelURL
    }
}
