import Diffusion
import Foundation
import Imagery
import ModelFolders
import Models
import Pruning
import Runs

/// Goes on training a model that is there, pruned or not: what was removed stays removed, and the record of it is kept.
public struct FinetuningWorkflow {
    private let configuration: FinetuningRunConfiguration
    private let pipeline: Pipeline
    private let teacher: Pipeline?
    private let context: RunContext

    /// - Parameters:
    ///   - configuration: what defines the run.
    ///   - pipeline: the model, whose weights are trained where they are.
    ///   - teacher: the model to imitate, with the weight that `finetuning.distillation` says.
    ///   - context: the run folder.
    public init(
        _ configuration: FinetuningRunConfiguration, pipeline: Pipeline, teacher: Pipeline? = nil,
        in context: RunContext
    ) {
        self.configuration = configuration
        self.pipeline = pipeline
        self.teacher = teacher
        self.context = context
    }

    /// What `run` would take; nothing is written.
    public func forecast() throws -> Forecast {
        let (trainer, _) = try prepared()
        return try TrainingLoop(trainer, pipeline.scheduler, configuration.finetuning, in: context).forecast()
    }

    private func prepared() throws -> (trainer: DenoisingTrainer<UNet>, data: InMemoryDataset) {
        let settings = configuration.finetuning
        let model = pipeline.model
        try teacher.map(check)
        context.progress?(ProgressUpdate(phase: "reading images"))
        let data = try configuration.data.open(for: model)
        let scheduler = try pipeline.scheduler
        let trainer = try DenoisingTrainer(
            denoising: model, scheduler, images: data, flip: configuration.data.flip, settings: settings,
            teacher: teacher?.model)
        try trainer.task.objective.check(model)
        return (trainer, data)
    }

    /// - Returns: the model folder written.
    @discardableResult
    public func run() throws -> URL {
        let settings = configuration.finetuning
        let model = pipeline.model
        let (trainer, data) = try prepared()
        // Taken before a checkpoint is: the zeros that pruning made, not those of training.
        let zeros = pipeline.pruning?.achieved.weights.map { _ in Masks(nonzerosOf: PruningSpace.weights(of: model)) }
        var models = ["model": try pipeline.digests()]
        models["teacher"] = try teacher?.digests()
        let identity = try RunIdentity(
            command: "finetune", configuration: configuration.values, models: models, data: data)
        let folder = try context.open(identity, growth: settings.training.growth(section: "finetuning"))
        let training = TrainingLoop(trainer, try pipeline.scheduler, settings, in: context)
        try folder.carryOut(
            in: context, keepingCheckpoints: settings.keepCheckpoints, restore: training.restore
        ) {
            if let zeros {
                try zeros.applied { try training.run(phase: "fine-tuning", in: folder, context.progress) }
                trainer.multiplyWeights(by: zeros.flat(in: trainer.arena))
            } else {
                try training.run(phase: "fine-tuning", in: folder, context.progress)
            }
            try training.finish(in: folder)
            let result = pipeline.become(trainer.network, pruning: pipeline.pruning)
            try trainer.withResultWeights { try PipelineFolder(folder.modelURL).save(result) }
        }
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
        let (theirSchedule, schedule) = (try teacher.scheduler, try pipeline.scheduler)
        try check("prediction_type", theirSchedule.predictionType.rawValue, schedule.predictionType.rawValue)
        try check("num_train_timesteps", theirSchedule.trainTimesteps, schedule.trainTimesteps)
    }
}
