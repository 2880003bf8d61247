import Diffusion
import Files
import Foundation
import Imagery
import ModelFolders
import Models
import Runs

/// The result of a pruning run.
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
    private let pipeline: Pipeline
    private let context: RunContext

    /// - Parameters:
    ///   - configuration: what defines the run.
    ///   - pipeline: the model, whose weights are trained where they are.
    ///   - context: the run folder.
    public init(_ configuration: PruningRunConfiguration, pipeline: Pipeline, in context: RunContext) {
        self.configuration = configuration
        self.pipeline = pipeline
        self.context = context
    }

    public func run() throws -> PruningOutcome {
        let (run, folder) = try begin()
        try run.advance(in: folder)

        var record = try run.record()
        record.history = pipeline.pruning.map { $0.asHistory }
        let result = pipeline.become(run.network, pruning: record)
        try run.withResultWeights { try PipelineFolder(folder.modelURL).save(result) }
        return PruningOutcome(modelURL: folder.modelURL, record: record)
    }

    /// The run in its folder, as far as it has come: a resumed one to its newest checkpoint.
    func begin() throws -> (run: PruningRun<Denoising<UNet>>, folder: RunFolder) {
        let planned = try PlannedPruning(configuration)
        let data = try configuration.data.path.isEmpty ? nil : configuration.data.open(for: pipeline.model)
        let run = try assembled(planned, pipeline, data)
        let identity = try RunIdentity(
            command: "prune", configuration: configuration.values, models: ["model": pipeline.digests()], data: data)
        let folder = try context.open(identity, growth: run.growth)
        if context.isResuming { try folder.resume(warning: context.warning, restore: run.restore) }
        return (run, folder)
    }

    /// - Parameter data: nil where there is none.
    /// - Throws: `SettingError` where the method or fine-tuning needs some.
    private func assembled(
        _ planned: PlannedPruning, _ pipeline: Pipeline, _ data: InMemoryDataset?
    ) throws -> PruningRun<Denoising<UNet>> {
        let finetuning = configuration.finetuning
        guard let data else {
            guard planned.entry.needs.isEmpty, finetuning.steps == 0 else {
                throw SettingError(
                    key: "data.path", got: "missing",
                    expected: "images: '\(configuration.method)' with \(finetuning.steps) fine-tuning steps needs some")
            }
            return try PruningRun(
                configuration, planned, network: pipeline.model, training: nil, calibration: nil,
                progress: context.progress)
        }
        let teacher = finetuning.distillation > 0 ? try pipeline.model.copied() : nil
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
                trainer, pipeline.scheduler, finetuning, totalSteps: finetuning.steps, progress: context.progress),
            calibration: TaskCalibration(
                trainer.task, network: pipeline.model, batches: trainer.batches, count: settings.calibrationBatches,
                batchSize: settings.calibrationBatchSize),
            progress: context.progress)
    }
}
