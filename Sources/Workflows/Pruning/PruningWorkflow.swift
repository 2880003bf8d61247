import Configuration
import Diffusion
import Foundation
import Imagery
import ModelFolders
import Models
import Runs

/// What a pruning run came to.
public struct PruningOutcome {
    public let modelURL: URL
    public let record: PruningRecord
}

/// Prunes a model: mask updates with fine-tuning between them, compaction, and the rest of the fine-tuning.
///
///     update 0 ─ steps ─ update 1 ─ steps ─ … ─ last update ─ compact ─ steps ─ model
///
/// `soft_fraction` of the steps lie before the last update (none for a one-shot method).
public struct PruningWorkflow {
    private let configuration: PruningRunConfiguration
    private let source: URL
    private let output: URL
    private let resuming: Bool
    private let progress: ProgressHandler?
    private let warning: WarningHandler?

    /// - Parameter resuming: goes on with the run in `output` where there is one.
    public init(
        _ configuration: PruningRunConfiguration, model source: URL, output: URL, resuming: Bool,
        progress: ProgressHandler? = nil, warning: WarningHandler? = nil
    ) {
        self.configuration = configuration
        self.source = source
        self.output = output
        self.resuming = resuming
        self.progress = progress
        self.warning = warning
    }

    public func run() throws -> PruningOutcome {
        let planned = try PlannedPruning(configuration)
        let pipeline = try PipelineFolder(source).load()
        let data = try configuration.data.path.isEmpty ? nil : configuration.data.open(for: pipeline.model)
        let run = try assembled(planned, pipeline, data)
        let identity = try RunIdentity(
            command: "prune", configuration: configuration.values, models: ["model": pipeline.digests()], data: data)
        let folder = try RunFolder(output, identity: identity, growth: run.growth, resuming: resuming)
        if resuming { try folder.goOn(warning: warning, restore: run.restore) }
        try run.advance(in: folder)

        let record = try run.record()
        var result = Pipeline(model: run.network, scheduler: pipeline.scheduler, pruning: record)
        result.warnings = pipeline.warnings
        try run.withResultWeights { try PipelineFolder(folder.modelURL).save(result) }
        return PruningOutcome(modelURL: folder.modelURL, record: record)
    }

    /// - Parameter data: nil where there is none.
    /// - Throws: `ConfigurationError` where the method or fine-tuning needs some.
    private func assembled(
        _ planned: PlannedPruning, _ pipeline: Pipeline, _ data: InMemoryDataset?
    ) throws -> PruningRun<Denoising<UNet>> {
        let finetuning = configuration.finetuning
        guard let data else {
            guard planned.entry.needs.isEmpty, finetuning.steps == 0 else {
                throw ConfigurationError.invalid(
                    source: "data", key: "path", got: "missing",
                    expected: "images: '\(configuration.method)' with \(finetuning.steps) fine-tuning steps needs some")
            }
            return try PruningRun(
                configuration, planned, network: pipeline.model, training: nil, calibration: nil, progress: progress)
        }
        let teacher = finetuning.distillation > 0 ? try PipelineFolder(source).load().model : nil
        // Learning rates run over the way that no rewinding cuts short.
        var scheduled = finetuning
        scheduled.steps = planned.plan.scheduleSteps
        let trainer = try DenoisingTrainer(
            denoising: pipeline.model, pipeline.scheduler, images: data, flip: configuration.data.flip,
            settings: scheduled, teacher: teacher)
        if finetuning.steps > 0 { try trainer.task.objective.check(pipeline.model) }
        let settings = configuration.pruning
        return try PruningRun(
            configuration, planned, network: pipeline.model,
            training: TrainingLoop(
                trainer, pipeline.scheduler, finetuning, totalSteps: finetuning.steps, progress: progress),
            calibration: TaskCalibration(
                trainer.task, network: pipeline.model, batches: trainer.batches, count: settings.calibrationBatches,
                batchSize: settings.calibrationBatchSize),
            progress: progress)
    }
}
