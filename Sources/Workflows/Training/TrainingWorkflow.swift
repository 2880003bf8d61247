import Foundation
import Imagery
import ModelFolders
import Runs
import Training

/// Trains a model from scratch: checkpoints, what is shown of it on the way, logs, and the averaged weights as a model
/// folder.
public struct TrainingWorkflow<Plan: TrainingPlan> {
    private let configuration: Plan
    private let weightTypes: WeightTypes
    private let context: RunContext

    /// - Parameters:
    ///   - configuration: everything that defines the run.
    ///   - weightTypes: what the result's weights are stored as.
    ///   - context: where it writes, and who is told of it.
    public init(_ configuration: Plan, storedAs weightTypes: WeightTypes = .float32, in context: RunContext) {
        self.configuration = configuration
        self.weightTypes = weightTypes
        self.context = context
    }

    /// What `run` would take; nothing is written.
    public func forecast() throws -> Forecast {
        let (model, trainer, _) = try prepared()
        return try loop(model, trainer).forecast()
    }

    private func loop(
        _ model: Plan.Model, _ trainer: Trainer<Plan.Model.Task>
    ) throws -> TrainingLoop<Plan.Model.Task> {
        TrainingLoop(
            trainer, inspection: try model.inspection(configuration.training, configuration.data), in: context)
    }

    private func prepared() throws -> (
        model: Plan.Model, trainer: Trainer<Plan.Model.Task>, data: InMemoryDataset
    ) {
        let settings = configuration.training
        let model = try configuration.makeModel()
        let recovery = Plan.Model.Recovery()
        try model.check(recovery, settings)
        context.progress?(ProgressUpdate(phase: "reading images"))
        let data = try model.images(configuration.data)
        model.model.initialize(seed: UInt64(settings.training.seed))
        let trainer = try model.trainer(on: data, configuration.data, settings, recovery, teacher: nil)
        return (model, trainer, data)
    }

    /// - Returns: the model folder written.
    @discardableResult
    public func run() throws -> URL {
        let settings = configuration.training.training
        let (model, trainer, data) = try prepared()
        let identity = try RunIdentity(command: "train", configuration: configuration.values, data: data)
        let folder = try context.open(identity, growth: settings.growth(section: "training"))
        let training = try loop(model, trainer)
        try folder.carryOut(
            in: context, keepingCheckpoints: settings.keepCheckpoints, restore: training.restore
        ) {
            try training.run(phase: "training", in: folder, context.progress)
            try training.finish(in: folder)
            var result = model.become(trainer.network, pruning: nil)
            result.weightTypes = weightTypes
            try trainer.withResultWeights { try Plan.Model.Folder(folder.modelURL).save(result) }
        }
        return folder.modelURL
    }
}
