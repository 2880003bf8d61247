import Foundation
import Imagery
import ModelFolders
import Pruning
import Reports
import Runs
import Training

/// Goes on training a model that is there, pruned or not: what was removed stays removed, and the record of it is kept.
public struct FinetuningWorkflow<Model: TrainableModel> {
    private let configuration: FinetuningRunSettings<Model>
    private let model: Model
    private let teacher: Model?
    private let context: RunContext

    /// - Parameters:
    ///   - configuration: what defines the run.
    ///   - model: what is trained; its weights are trained where they are.
    ///   - teacher: the model to imitate, as the section `recovery` says.
    ///   - context: the run folder.
    public init(
        _ configuration: FinetuningRunSettings<Model>, model: Model, teacher: Model? = nil, in context: RunContext
    ) {
        self.configuration = configuration
        self.model = model
        self.teacher = teacher
        self.context = context
    }

    /// What `run` would take; nothing is written.
    public func forecast() throws -> Forecast { try loop(prepared().trainer).forecast() }

    private func loop(_ trainer: Trainer<Model.Task>) throws -> TrainingLoop<Model.Task> {
        TrainingLoop(
            trainer, inspection: try model.inspection(configuration.finetuning, configuration.data), in: context)
    }

    private func prepared() throws -> (trainer: Trainer<Model.Task>, data: InMemoryDataset?) {
        try teacher.map { try model.check(teacher: $0) }
        if let teacher, teacher.model.macs < model.model.macs {
            let (theirs, ours) = (NumberText.compact(teacher.model.macs), NumberText.compact(model.model.macs))
            context.warning?(
                "the teacher takes fewer multiply–accumulates than the model (\(theirs), \(ours)): "
                    + "are --model and --teacher swapped?")
        }
        let recovery = configuration.recovery
        try model.check(recovery, configuration.finetuning)
        var data: InMemoryDataset?
        if !recovery.isDrawn || !configuration.data.path.isEmpty {
            context.progress?(ProgressUpdate(phase: "reading images"))
            data = try model.images(configuration.data)
        }
        let trainer = try model.trainer(
            on: data, configuration.data, configuration.finetuning, recovery, teacher: teacher)
        return (trainer, data)
    }

    /// - Returns: the model folder written.
    @discardableResult
    public func run() throws -> URL {
        let settings = configuration.finetuning.training
        let (trainer, data) = try prepared()
        // Taken before a checkpoint is: the zeros that pruning made, not those of training.
        let zeros = model.pruning?.achieved.weights.map { _ in
            Masks(nonzerosOf: PruningSpace.weights(of: model.model))
        }
        var models = ["model": try model.digests()]
        models["teacher"] = try teacher?.digests()
        let identity = try RunIdentity(
            command: "finetune", configuration: configuration.values, models: models, data: data)
        let folder = try context.open(identity, growth: settings.growth(section: "finetuning"))
        let training = try loop(trainer)
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
            let result = model.become(trainer.network, pruning: model.pruning)
            try trainer.withResultWeights { try Model.Folder(folder.modelURL).save(result) }
        }
        return folder.modelURL
    }
}

extension FinetuningWorkflow where Model == Pipeline {
    /// - Parameters:
    ///   - configuration: what defines the run.
    ///   - pipeline: the model, whose weights are trained where they are.
    ///   - teacher: the model to imitate, as the section `recovery` says.
    ///   - context: the run folder.
    public init(
        _ configuration: FinetuningRunConfiguration, pipeline: Pipeline, teacher: Pipeline? = nil,
        in context: RunContext
    ) {
        self.init(configuration, model: pipeline, teacher: teacher, in: context)
    }
}
