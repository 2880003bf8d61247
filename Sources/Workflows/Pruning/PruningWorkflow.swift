import Files
import Foundation
import Imagery
import ModelFolders
import Pruning
import PruningMethods
import Runs

/// The result of a pruning run.
public struct PruningOutcome {
    public let modelURL: URL
    public let record: PruningRecord
    /// Updates of the weights, those between mask updates included; 0 where nothing was fine-tuned.
    public let finetuningSteps: Int

    /// The same for programs.
    public var json: JSONValue {
        get throws {
            [
                "schema": 1, "model": .string(modelURL.path), "method": .string(record.method),
                "granularity": record.granularity.map { .string($0) } ?? .null, "seed": .int(record.seed),
                "target": .string(record.request), "asked": try JSONValue(encoding: record.asked),
                "achieved": try JSONValue(encoding: record.achieved), "finetuning_steps": .int(finetuningSteps),
                "made_by": try JSONValue(encoding: record.madeBy),
            ]
        }
    }
}

/// Prunes a model: mask updates with fine-tuning between them, compaction, and the rest of the fine-tuning.
///
///     update 0 ─ steps ─ update 1 ─ steps ─ … ─ last update ─ compact ─ steps ─ model
///
/// `soft_fraction` of the steps lie before the last update (none for a one-shot method).
public struct PruningWorkflow<Model: TrainableModel> {
    private let configuration: PruningRunSettings<Model>
    private let model: Model
    private let context: RunContext

    /// - Parameters:
    ///   - configuration: what defines the run.
    ///   - model: what is pruned; its weights are trained where they are.
    ///   - context: the run folder.
    public init(_ configuration: PruningRunSettings<Model>, model: Model, in context: RunContext) {
        self.configuration = configuration
        self.model = model
        self.context = context
    }

    /// Methods that look at the network alone.
    private static var methodsWithoutData: [String] {
        MethodCatalog.all.filter { !$0.needs.takesData && !$0.card.needsTraining }.map(\.card.name)
    }

    /// Refuses what follows from the configuration and the model alone; images are not read.
    ///
    /// - Returns: what is asked for.
    /// - Throws: `BudgetError` where the target cannot be reached, `SettingError`, what the method says.
    @discardableResult
    func check() throws -> PlannedPruning {
        let planned = try PlannedPruning(configuration, of: model.model, storedAs: model.weightTypes)
        let space = PruningSpace.of(planned.granularity.space, in: model.model)
        _ = try planned.selection(in: space, of: model.model, configuration.pruning)
        if configuration.recovery.isDrawn { try checkDrawing(planned.entry) }
        try model.check(configuration.recovery, configuration.finetuning)
        if !configuration.recovery.isDrawn, configuration.data.path.isEmpty { try requireNoImages(planned.entry) }
        return planned
    }

    /// What `run` would take and do, and whether its target can be reached; nothing is written.
    public func forecast() throws -> Forecast {
        let (run, _) = try prepared { min($0, PruningRun<Model>.trialBatches) }
        return try run.forecast(sampleBytes: 4 * model.imageShape.reduce(1, *))
    }

    /// - Throws: `RunStopped` where that was asked for, and everything else that can be wrong with a run.
    public func run() throws -> PruningOutcome {
        let (run, folder) = try opened()
        let result = Model.Folder(folder.modelURL)
        try folder.carryOut(
            in: context, keepingCheckpoints: configuration.finetuning.keepCheckpoints, restore: run.restore
        ) {
            try run.advance(in: folder)
            try run.withResultWeights {
                var record = try run.record(command: context.command)
                record.history = model.pruning.map { $0.asHistory }
                try result.save(model.become(run.network, pruning: record))
            }
        }
        guard let record = try ModelFolder(result.url).readRecord() else {
            throw ModelFolderError.notAModel(
                path: result.url.path, reason: "there is no pruning.json in it, which the run wrote")
        }
        return PruningOutcome(
            modelURL: result.url, record: record, finetuningSteps: configuration.finetuning.steps)
    }

    /// The run and its folder, with nothing done yet.
    func opened() throws -> (run: PruningRun<Model>, folder: RunFolder) {
        let (run, data) = try prepared { $0 }
        let identity = try RunIdentity(
            command: "prune", configuration: configuration.values, models: ["model": model.digests()], data: data)
        return (run, try context.open(identity, growth: run.growth))
    }

    /// - Parameter batches: how many calibration batches to make of those configured.
    private func prepared(
        calibrating batches: (Int) -> Int
    ) throws -> (run: PruningRun<Model>, data: InMemoryDataset?) {
        // Before images are read, which may take long.
        let planned = try check()
        if !configuration.data.path.isEmpty { context.progress?(ProgressUpdate(phase: "reading images")) }
        let data = try configuration.data.path.isEmpty ? nil : model.images(configuration.data)
        return (try assembled(planned, data, calibrating: batches), data)
    }

    /// - Throws: `SettingError` where nothing would be made of what the model draws.
    private func checkDrawing(_ method: MethodEntry) throws {
        let (recovery, steps) = (configuration.recovery, configuration.finetuning.steps)
        let calibrates = method.needs.takesData || recovery.reconstruction != .none
        guard steps > 0 || configuration.data.path.isEmpty && calibrates else {
            throw SettingError(
                key: "recovery.generated", got: "'\(recovery.drawn ?? "none")'",
                expected: "none where nothing is fine-tuned (finetuning.steps 0)")
        }
    }

    /// - Throws: `SettingError` where the method, the repair or fine-tuning needs images.
    private func requireNoImages(_ method: MethodEntry) throws {
        let steps = configuration.finetuning.steps
        let expected: String
        if method.needs.takesData {
            expected =
                "images (--data, or --generated images), from which '\(configuration.method)' takes its scores, "
                + "or a method that needs none: \(Self.methodsWithoutData.joined(separator: ", "))"
        } else if configuration.recovery.reconstruction != .none {
            expected =
                "images (--data, or --generated images) to repair the weights by, or recovery.reconstruction=none"
        } else if steps > 0 {
            expected =
                "images to fine-tune on for \(steps) steps (--data, or --generated images), or --finetune-steps 0"
        } else {
            return
        }
        throw SettingError(key: "data.path", got: "missing", expected: expected)
    }

    /// - Parameter data: nil where there is none.
    private func assembled(
        _ planned: PlannedPruning, _ data: InMemoryDataset?, calibrating batches: (Int) -> Int
    ) throws -> PruningRun<Model> {
        model.prepare()
        let (finetuning, recovery, settings) = (configuration.finetuning, configuration.recovery, configuration.pruning)
        guard data != nil || recovery.isDrawn else {
            return try PruningRun(
                configuration, planned, network: model.model, training: nil, calibration: nil, in: context)
        }
        // Learning rates run over the way that no rewinding cuts short.
        var scheduled = finetuning
        scheduled.training.steps = planned.plan.scheduleSteps
        let trainer = try model.trainer(
            on: data, configuration.data, scheduled, recovery, teacher: recovery.needsTeacher ? model.copied() : nil)
        return try PruningRun(
            configuration, planned, network: model.model,
            training: TrainingLoop(
                trainer, inspection: model.inspection(finetuning, configuration.data), totalSteps: finetuning.steps,
                in: context),
            calibration: TaskCalibration(
                trainer.task, network: model.model, batches: trainer.batches,
                count: batches(settings.calibrationBatches), batchSize: settings.calibrationBatchSize),
            in: context)
    }
}

extension PruningWorkflow where Model == Pipeline {
    /// - Parameters:
    ///   - configuration: what defines the run.
    ///   - pipeline: the model, whose weights are trained where they are.
    ///   - context: the run folder.
    public init(_ configuration: PruningRunConfiguration, pipeline: Pipeline, in context: RunContext) {
        self.init(configuration, model: pipeline, in: context)
    }
}
