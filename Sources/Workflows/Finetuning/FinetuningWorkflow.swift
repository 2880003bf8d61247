import Diffusion
import Foundation
import Storage

/// Goes on training a model that is there, pruned or not: what was removed stays removed, and the record of it is kept.
public struct FinetuningWorkflow {
    private let configuration: FinetuningRunConfiguration
    private let pipeline: Pipeline
    private let teacher: Pipeline?
    private let output: URL
    private let resuming: Bool
    private let progress: ProgressHandler?

    /// - Parameter teacher: the model to imitate, with the weight that `finetuning.distillation` says.
    public init(
        _ configuration: FinetuningRunConfiguration, pipeline: Pipeline, teacher: Pipeline? = nil, output: URL,
        resuming: Bool, progress: ProgressHandler? = nil
    ) {
        self.configuration = configuration
        self.pipeline = pipeline
        self.teacher = teacher
        self.output = output
        self.resuming = resuming
        self.progress = progress
    }

    /// - Returns: the model folder written.
    @discardableResult
    public func run() throws -> URL {
        let settings = configuration.finetuning
        let model = pipeline.model
        try teacher.map(check)
        let batches = try BatchSource(
            dataset: configuration.data.open(for: model), batchSize: settings.batchSize, seed: UInt64(settings.seed),
            flip: configuration.data.flip, timestepSampling: settings.timestepSampling,
            timestepCount: pipeline.scheduler.trainTimesteps, isConditional: model.configuration.isClassConditional)
        let objective = try DenoisingObjective(pipeline.scheduler)
        try objective.check(model)
        let trainer = DenoisingTrainer(
            model: model, objective: objective, batches: batches,
            configuration: settings, teacher: teacher?.model)
        let folder = try RunFolder(output, configuration: configuration.yaml, resuming: resuming)
        if resuming {
            let checkpoint = try folder.checkpoints.latest().checkpoint
            try checkpoint.map(trainer.restore)
            // Without a checkpoint all that a killed run logged is done over.
            try folder.rewind(to: checkpoint?.step ?? -1)
        }
        var loop = TrainingLoop(
            trainer: trainer, folder: folder, settings: settings, scheduler: pipeline.scheduler, phase: "fine-tuning",
            progress: progress)
        try loop.run(until: settings.steps)
        let result = Pipeline(model: trainer.model, scheduler: pipeline.scheduler, pruning: pipeline.pruning)
        try trainer.withResultWeights { try PipelineFolder(folder.modelURL).save(result) }
        return folder.modelURL
    }

    /// A teacher sees the same noisy images and must predict the same thing of them.
    private func check(_ teacher: Pipeline) throws {
        let (theirs, ours) = (teacher.model.configuration, pipeline.model.configuration)
        func check(_ what: String, _ got: Any, _ expected: Any) throws {
            guard "\(got)" != "\(expected)" else { return }
            throw RequestError.invalid(
                option: "the teacher's \(what)", got: "\(got)", expected: "\(expected), as the model's")
        }
        try check("in_channels", theirs.inChannels, ours.inChannels)
        try check("out_channels", theirs.outChannels, ours.outChannels)
        try check("image size", teacher.model.size, pipeline.model.size)
        try check("class_embed_type", theirs.classEmbedType as Any, ours.classEmbedType as Any)
        try check("num_class_embeds", theirs.numClassEmbeds as Any, ours.numClassEmbeds as Any)
        try check("prediction_type", teacher.scheduler.predictionType, pipeline.scheduler.predictionType)
        try check("num_train_timesteps", teacher.scheduler.trainTimesteps, pipeline.scheduler.trainTimesteps)
    }
}
