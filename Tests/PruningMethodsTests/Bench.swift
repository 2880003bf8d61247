import Diffusion
import Files
import Foundation
import Models
import Pruning
import PruningMethods
import TensorCore
import Testing
import Training

/// A tiny U-Net with a calibration source of random images: enough for every method to have something to judge.
final class Bench: CalibrationSource {
    let model: UNet
    let groups: [PrunableGroup]
    let arena: ParameterArena
    private let objective: DenoisingObjective
    private let optimizer: Optimizer

    init() throws {
        var configuration = UNetConfiguration()
        configuration.sampleSize = [8, 8]
        configuration.inChannels = 1
        configuration.outChannels = 1
        configuration.blockOutChannels = [8, 16]
        configuration.normNumGroups = 4
        configuration.attentionHeadDim = 4
        configuration.layersPerBlock = 1
        configuration.midBlockType = nil
        configuration.downBlockTypes = ["DownBlock2D", "AttnDownBlock2D"]
        configuration.upBlockTypes = ["AttnUpBlock2D", "UpBlock2D"]
        model = try UNet(configuration)
        model.initialize(seed: 21)
        groups = PrunableGroup.all(of: model)
        arena = ParameterArena(model.parameters)
        objective = try DenoisingObjective(SchedulerConfiguration())
        var sgd = OptimizerConfiguration()
        sgd.kind = .sgd
        optimizer = Optimizer(sgd, arena: arena)
    }

    private func batch(_ index: Int, timesteps: [Int]) -> DenoisingBatch {
        func drawn(_ purpose: RandomPurpose) -> Tensor {
            let tensor = Tensor(uninitialized: [timesteps.count, 8, 8, 1])
            var stream = RandomStream(seed: 22, purpose: purpose, index: UInt64(index))
            stream.fillNormal(tensor.unsafeBuffer)
            return tensor
        }
        return DenoisingBatch(clean: drawn("test-images"), noise: drawn(.calibration), timesteps: timesteps)
    }

    // MARK: calibration

    var offers: Evidence = [.gradients, .curvature, .stagedGradients, .perSampleGradients]
    var batchCount: Int { 2 }
    var stageCount: Int { 5 }
    var sampleCount: Int { 3 }
    func loss(batch index: Int) throws -> Variable {
        objective.loss(of: model, batch(index, timesteps: [100 + index, 700]))
    }
    func loss(stage: Int) throws -> Variable {
        objective.loss(of: model, batch(7, timesteps: [stage * 100, stage * 100]))
    }
    func loss(sample: Int) throws -> Variable { objective.loss(of: model, batch(sample, timesteps: [300 * sample])) }

    // MARK: runs

    func collector(withData: Bool = true) -> EvidenceCollector {
        EvidenceCollector(groups: groups, arena: arena, source: withData ? self : nil)
    }

    func context(_ budget: Budget, _ granularity: Granularity = .channel, withData: Bool = true) throws
        -> PruningContext
    {
        try PruningContext(
            groups: groups, evidence: collector(withData: withData),
            selection: BudgetSelection(
                cost: CostModel(budget.quantity.cost, of: model, groups: groups), groups: groups,
                granularity: granularity, leastFraction: 0, normalizations: model.normalizations),
            remaining: budget.remaining)
    }

    /// One step of fine-tuning under the masks, so that later rounds judge other weights.
    func tune(_ masks: MaskSet) throws {
        masks.install(on: groups, trainable: false)
        arena.clearGradients()
        try loss(batch: 0).backward()
        arena.completeGradients()
        optimizer.update(learningRate: 0.01)
    }

    struct Outcome: Equatable {
        var masks: MaskSet
        var reports: [MaskUpdateReport] = []
    }

    /// All updates of a pruner with fine-tuning between them.
    ///
    /// - Parameter interrupted: after every update the pruner is made anew from its configuration, and its state and
    ///   the masks go through JSON, as in a run that is killed and resumed.
    func run<P: Pruner>(_ pruner: P, in context: PruningContext, interrupted: Bool = false, seed: UInt64 = 1) throws
        -> Outcome
    {
        var pruner = pruner
        var outcome = Outcome(masks: MaskSet(keepingAllOf: groups))
        for index in 0..<pruner.updates {
            outcome.reports.append(try pruner.update(&outcome.masks, index: index, in: context))
            if index + 1 < pruner.updates { try tune(outcome.masks) }
            if interrupted {
                let state = try JSONEncoder().encode(pruner.state)
                pruner = P(pruner.configuration, seed: seed)
                pruner.state = try JSONDecoder().decode(P.State.self, from: state)
                outcome.masks = try JSONDecoder().decode(MaskSet.self, from: JSONEncoder().encode(outcome.masks))
            }
        }
        return outcome
    }

    func output() -> [Float] {
        let images = batch(9, timesteps: [10, 900])
        return Autograd.withoutRecording { model(Variable(images.clean), timesteps: [10, 900]).value.array }
    }

    /// max |masked − compacted| / max |masked|
    func compactionError(_ masks: MaskSet) throws -> Float {
        masks.install(on: groups, trainable: false)
        let masked = output()
        MaskSet.removeGates(from: groups)
        let compacted = try Compaction(model, groups: groups, masks: masks).network
        let images = batch(9, timesteps: [10, 900])
        let small = Autograd.withoutRecording { compacted(Variable(images.clean), timesteps: [10, 900]).value.array }
        let scale = masked.reduce(0) { max($0, abs($1)) }
        return zip(masked, small).reduce(0) { max($0, abs($1.0 - $1.1)) } / scale
    }
}

extension MethodEntry {
    /// The default configuration with some values replaced, at any depth.
    func configuration(replacing values: [String: JSONValue]) throws -> JSONValue {
        func replaced(_ value: JSONValue) -> JSONValue {
            guard case .object(var members) = value else { return value }
            for (key, value) in members { members[key] = values[key] ?? replaced(value) }
            return .object(members)
        }
        return replaced(try defaultConfiguration())
    }

    /// A pruner that takes several updates where the method has a choice, so that there is something to resume.
    func pruner(seed: UInt64 = 1, rounds: Int = 4) throws -> any Pruner {
        try make(configuration(replacing: ["rounds": .int(rounds)]), seed)
    }
}

extension MethodEntry: CustomTestStringConvertible {
    public var testDescription: String { card.name }
}
