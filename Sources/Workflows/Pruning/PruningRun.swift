import Configuration
import Diffusion
import Files
import Foundation
import Imagery
import ModelFolders
import Models
import Pruning
import PruningMethods
import Runs
import Training
import WeightFiles

/// The state of a pruning run: weights, masks, method, and how far it has come.
final class PruningRun {
    private let configuration: PruningRunConfiguration
    private let pipeline: Pipeline
    private let dense: UNet
    private let groups: [PrunableGroup]
    private let selection: BudgetSelection
    private let budget: Budget
    private var pruner: any Pruner
    private var masks: MaskSet
    private var updatesDone = 0
    private var isCompacted = false
    /// nil when there is neither data nor need of any.
    private let training: TrainingLoop<Denoising<UNet>>?
    private let progress: ProgressHandler?
    private let calibration: TaskCalibration<Denoising<UNet>>?
    private let arena: ParameterArena
    private(set) var model: UNet

    init(
        _ configuration: PruningRunConfiguration, pipeline: Pipeline, source: URL, data: InMemoryDataset?,
        progress: ProgressHandler?
    ) throws {
        self.configuration = configuration
        self.progress = progress
        self.pipeline = pipeline
        let settings = configuration.pruning
        let entry = try MethodCatalog.entry(named: configuration.method)
        dense = pipeline.model
        model = dense
        groups = PrunableGroup.all(of: dense)
        masks = MaskSet(keepingAllOf: groups)
        budget = try Budget(parsing: settings.target)
        selection = try BudgetSelection(
            cost: CostModel(budget.quantity.cost, of: dense, groups: groups), groups: groups,
            granularity: settings.unit, leastFraction: settings.leastFraction, normalizations: dense.normalizations)
        pruner = try entry.make(configuration.methodSettings, UInt64(settings.seed))

        guard let data else {
            guard entry.needs == .weights, configuration.finetuning.steps == 0 else {
                throw ConfigurationError.invalid(
                    source: "data", key: "path", got: "missing",
                    expected:
                        "images: '\(configuration.method)' with \(configuration.finetuning.steps) fine-tuning steps needs some"
                )
            }
            arena = ParameterArena(dense.parameters)
            calibration = nil
            training = nil
            return
        }
        let finetuning = configuration.finetuning
        let teacher = finetuning.distillation > 0 ? try PipelineFolder(source).load().model : nil
        let trainer = try DenoisingTrainer(
            denoising: dense, pipeline.scheduler, images: data, flip: configuration.data.flip, settings: finetuning,
            teacher: teacher)
        if finetuning.steps > 0 { try trainer.task.objective.check(dense) }
        training = TrainingLoop(trainer, pipeline.scheduler, finetuning, progress: progress)
        arena = trainer.arena
        calibration = try TaskCalibration(
            trainer.task, network: dense, batches: trainer.batches, count: settings.calibrationBatches,
            batchSize: settings.calibrationBatchSize)
    }

    /// The step at which update `index` is made.
    private func boundary(_ index: Int) -> Int {
        guard pruner.updates > 1 else { return 0 }
        let soft = Double(configuration.finetuning.steps) * configuration.pruning.softFraction
        return Int((soft * Double(index) / Double(pruner.updates - 1)).rounded())
    }

    /// More steps would move the mask updates, where there are several.
    var growth: RunIdentity.Growth {
        let steps = configuration.finetuning.training.growth(section: "finetuning")
        guard pruner.updates > 1, configuration.pruning.softFraction > 0 else { return steps }
        return .refused(key: steps.key, reason: "it cannot grow, since mask updates are spread over the steps")
    }

    /// Runs from wherever the state is to the end.
    func advance(in folder: RunFolder) throws {
        while !isCompacted {
            try train(until: boundary(updatesDone), phase: "soft pruning", in: folder)
            try update(in: folder)
            if updatesDone == pruner.updates { try compact() }
            try training?.save(in: folder, state: state())
        }
        try train(until: configuration.finetuning.steps, phase: "fine-tuning", in: folder)
        try training?.finish(in: folder)
    }

    private func train(until step: Int, phase: String, in folder: RunFolder) throws {
        guard let training, training.trainer.step < step else { return }
        if !isCompacted { masks.install(on: groups, trainable: false) }
        try training.run(until: step, phase: phase, in: folder, state: state)
    }

    private func update(in folder: RunFolder) throws {
        let context = PruningContext(
            groups: groups, evidence: EvidenceCollector(groups: groups, arena: arena, source: calibration),
            selection: selection, remaining: budget.remaining)
        let report = try pruner.update(&masks, index: updatesDone, in: context)
        updatesDone += 1
        masks.install(on: groups, trainable: false)
        var entry: [String: JSONValue] = [
            "update": .int(updatesDone), "density": .double(report.density), "recovered": .int(report.recovered),
            "removed": .int(report.removed), "softness": .double(report.softness),
            "widths": .array(report.widths.map { .double($0) }),
        ]
        if let energy = report.energy { entry["energy"] = .double(energy) }
        if let loss = report.loss { entry["calibration_loss"] = .double(loss) }
        try folder.record(step: training?.trainer.step ?? 0, entry)
        progress?(
            ProgressUpdate(
                phase: "mask update", completed: updatesDone, total: pruner.updates,
                detail:
                    "density \(report.density.formatted(digits: 3)), undecided \(report.softness.formatted(digits: 3))")
        )
    }

    /// Really removes the masked channels; fine-tuning goes on with what is left.
    private func compact() throws {
        MaskSet.removeGates(from: groups)
        let compaction = try Compaction(dense, groups: groups, masks: masks)
        try training?.trainer.adopt(compaction.network, gather: compaction.gather)
        model = compaction.network
        isCompacted = true
    }

    func withResultWeights<Result>(_ body: () throws -> Result) rethrows -> Result {
        guard let training, configuration.finetuning.steps > 0 else { return try body() }
        return try training.trainer.withResultWeights(body)
    }

    // MARK: checkpoints

    private func state() throws -> [String: JSONValue] {
        [
            "updates_done": .int(updatesDone), "compacted": .bool(isCompacted),
            "masks": try JSONValue(encoding: masks), "pruner": try Self.encodedState(of: pruner),
        ]
    }

    func restore(_ checkpoint: Checkpoint) throws {
        guard let masks = checkpoint.state["masks"], let done = checkpoint.state["updates_done"]?.intValue,
            let compacted = checkpoint.state["compacted"]?.boolValue, let prunerState = checkpoint.state["pruner"]
        else {
            throw CheckpointError.damaged(path: checkpoint.url.path, reason: "it is not of a pruning run")
        }
        self.masks = try masks.decoded(as: MaskSet.self)
        guard self.masks.values.map(\.count) == groups.map(\.width),
            self.masks.values.allSatisfy({ $0.allSatisfy { (0...1).contains($0) } })
        else {
            throw CheckpointError.damaged(path: checkpoint.url.path, reason: "its masks are of another model")
        }
        guard (0...pruner.updates).contains(done), compacted == (done == pruner.updates) else {
            throw CheckpointError.damaged(
                path: checkpoint.url.path, reason: "it has \(done) mask updates of \(pruner.updates)")
        }
        updatesDone = done
        pruner = try Self.restored(pruner, from: prunerState)
        if compacted {
            try compact()
        } else {
            self.masks.install(on: groups, trainable: false)
        }
        try training?.restore(checkpoint)
    }

    private static func encodedState(of pruner: some Pruner) throws -> JSONValue {
        try JSONValue(encoding: pruner.state)
    }

    private static func restored<P: Pruner>(_ pruner: P, from state: JSONValue) throws -> any Pruner {
        var copy = pruner
        copy.state = try state.decoded(as: P.State.self)
        return copy
    }

    // MARK: record

    /// What was removed, for `pruning.json`; ratios refer to the model that was given.
    func record() throws -> PruningRecord {
        func widths(_ network: UNet) -> Double { Double(network.channelGroups.reduce(0) { $0 + $1.width }) }
        return PruningRecord(
            method: configuration.method, configuration: try configuration.yaml, seed: configuration.pruning.seed,
            asked: PruningRecord.Asked(quantity: budget.quantity.rawValue, value: budget.value),
            achieved: PruningRecord.Achieved(
                parameters: .init(dense: Double(dense.parameterCount), pruned: Double(model.parameterCount)),
                macs: .init(dense: dense.macs, pruned: model.macs),
                channels: .init(dense: widths(dense), pruned: widths(model))),
            groups: model.channelGroups.map {
                PruningRecord.Group(name: $0.name, originalWidth: $0.originalWidth, kept: $0.kept)
            })
    }
}
