import Diffusion
import Foundation
import Imagery
import Storage

/// Everything that defines a training run.
public struct TrainingRunConfiguration {
    public var model: UNetConfiguration
    public var scheduler: SchedulerConfiguration
    public var data: DataConfiguration
    public var training: TrainingConfiguration

    static let sections = ["model", "scheduler", "data", "training"]

    /// Reads the sections `model` and `scheduler` (diffusers' keys), `data` and `training`.
    public init(file: URL, overrides: [String] = []) throws {
        let document = try ConfigurationDocument(file: file, overrides: overrides, sections: Self.sections)
        model = try document.verbatimSection("model", defaults: UNetConfiguration())
        try model.validate()
        scheduler = try document.verbatimSection("scheduler", defaults: SchedulerConfiguration())
        data = try document.section("data")
        training = try document.section("training")
    }

    var yaml: String {
        get throws {
            ConfigurationDocument.yaml([
                ("model", try ConfigurationTree(verbatim: model)),
                ("scheduler", try ConfigurationTree(verbatim: scheduler)),
                ("data", try ConfigurationTree(encoding: data)),
                ("training", try ConfigurationTree(encoding: training)),
            ])
        }
    }
}

/// Trains a diffusion model from scratch: checkpoints, sample grids, logs, and the averaged weights as a model folder.
public struct TrainingWorkflow {
    private let configuration: TrainingRunConfiguration
    private let output: URL
    private let resuming: Bool
    private let progress: ProgressHandler?

    public init(
        _ configuration: TrainingRunConfiguration, output: URL, resuming: Bool, progress: ProgressHandler? = nil
    ) {
        self.configuration = configuration
        self.output = output
        self.resuming = resuming
        self.progress = progress
    }

    /// - Returns: the model folder written.
    @discardableResult
    public func run() throws -> URL {
        let settings = configuration.training
        let model = try UNet(configuration.model)
        let data = try configuration.data.open(for: model)
        let objective = try DenoisingObjective(configuration.scheduler)
        let batches = try BatchSource(
            dataset: data, batchSize: settings.batchSize, seed: UInt64(settings.seed), flip: configuration.data.flip,
            timestepSampling: settings.timestepSampling, timestepCount: configuration.scheduler.trainTimesteps,
            isConditional: configuration.model.isClassConditional)
        model.initialize(seed: UInt64(settings.seed))
        let trainer = DenoisingTrainer(
            model: model, objective: objective, batches: batches, configuration: settings)
        let folder = try RunFolder(output, configuration: configuration.yaml, resuming: resuming)
        if resuming, let checkpoint = try folder.checkpoints.latest().checkpoint {
            try trainer.restore(checkpoint)
            try folder.rewind(to: trainer.step)
        }

        var log = TrainingLog(every: settings.logEvery, steps: settings.steps)
        while trainer.step < settings.steps {
            let report = try trainer.advance()
            if let entry = log.add(report) { try folder.record(step: report.step, entry) }
            progress?(
                ProgressUpdate(
                    phase: "training", completed: report.step, total: settings.steps,
                    detail: "loss \(log.recentLoss.formatted(digits: 5))"))
            if settings.sampleEvery > 0, report.step % settings.sampleEvery == 0 {
                try folder.writeSamples(try samples(from: trainer), step: report.step)
            }
            if report.step % settings.checkpointEvery == 0 || report.step == settings.steps {
                try trainer.save(to: folder.checkpoints, extra: [:])
            }
        }
        try trainer.withResultWeights {
            try PipelineFolder(folder.modelURL).save(Pipeline(model: trainer.model, scheduler: configuration.scheduler))
        }
        return folder.modelURL
    }

    private func samples(from trainer: DenoisingTrainer) throws -> Image {
        try trainer.withResultWeights {
            let steps = min(50, configuration.scheduler.trainTimesteps)
            let sampler = ImageSampler(
                model: trainer.model, sampler: try SamplerName.ddim.makeSampler(configuration.scheduler, steps: steps),
                seed: UInt64(configuration.training.seed), classLabel: configuration.model.isClassConditional ? 0 : nil)
            return try sampleGrid(try sampler.images(0..<64).images())
        }
    }
}
