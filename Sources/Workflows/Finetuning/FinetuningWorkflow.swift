import Diffusion
import Foundation
import Imagery
import ModelFolders
import Models
import Pruning
import Reports
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
    ///   - teacher: the model to imitate, as the section `recovery` says.
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

    private func prepared() throws -> (trainer: DenoisingTrainer<UNet>, data: InMemoryDataset?) {
        let settings = configuration.finetuning
        let model = pipeline.model
        try teacher.map(check)
        if let teacher, teacher.model.macs < model.macs {
            let (theirs, ours) = (NumberText.compact(teacher.model.macs), NumberText.compact(model.macs))
            context.warning?(
                "the teacher takes fewer multiply–accumulates than the model (\(theirs), \(ours)): "
                    + "are --model and --teacher swapped?")
        }
        let scheduler = try pipeline.scheduler
        let recovery = configuration.recovery
        var data: InMemoryDataset?
        if !recovery.isDrawn || !configuration.data.path.isEmpty {
            context.progress?(ProgressUpdate(phase: "reading images"))
            data = try configuration.data.open(for: model)
        }
        let batches = try recovery.batches(
            data, flip: configuration.data.flip, for: model, drawnBy: teacher?.model, scheduler, settings)
        let trainer = try DenoisingTrainer(
            denoising: model, scheduler, batches: batches, settings: settings, teaching: recovery.teaching,
            teacher: recovery.teaching.needsTeacher ? teacher?.model : nil)
        try trainer.task.objective.check(model)
        return (trainer, data)
    }

    /// - Returns: the model folder written.
    @discardableResult
    public func run() throws -> URL {
        let settings = configuration.finetuning
        let model = pipeline.model
        let (trainer, data) = try prepared()
        let scheduler = try pipeline.scheduler
        // Taken before a checkpoint is: the zeros that pruning made, not those of training.
        let zeros = pipeline.pruning?.achieved.weights.map { _ in Masks(nonzerosOf: PruningSpace.weights(of: model)) }
        var models = ["model": try pipeline.digests()]
        models["teacher"] = try teacher?.digests()
        let identity = try RunIdentity(
            command: "finetune", configuration: configuration.values, models: models, data: data)
        let folder = try context.open(identity, growth: settings.training.growth(section: "finetuning"))
        let training = TrainingLoop(trainer, scheduler, settings, in: context)
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
        func check<Value: Equatable>(
            _ what: String, _ got: Value, _ expected: Value, _ words: (Value) -> String
        ) throws {
            guard got != expected else { return }
            throw RequestError.invalid(
                option: "the teacher's \(what)", got: words(got), expected: "\(words(expected)), as the model's")
        }
        func text(_ value: Any) -> String { "\(value)" }
        try check("in_channels", theirs.inChannels, ours.inChannels, text)
        try check("out_channels", theirs.outChannels, ours.outChannels, text)
        try check("image size", teacher.model.size, pipeline.model.size, text)
        try check("class_embed_type", theirs.classEmbedType, ours.classEmbedType) { $0?.rawValue ?? "null" }
        try check("num_class_embeds", theirs.numClassEmbeds, ours.numClassEmbeds) { $0.map(text) ?? "null" }
        let (schedule, own) = (try teacher.scheduler, try pipeline.scheduler)
        try check("prediction_type", schedule.predictionType, own.predictionType, \.rawValue)
        try check("num_train_timesteps", schedule.trainTimesteps, own.trainTimesteps, text)
    }
}
