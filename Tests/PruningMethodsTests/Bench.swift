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
final class Bench: PerSampleCalibration, StagedCalibration {
    let model: UNet
    let arena: ParameterArena
    private let channels: PruningSpace
    private let weights: PruningSpace
    private let objective: DenoisingObjective

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
        channels = .channels(of: model)
        weights = .weights(of: model)
        arena = ParameterArena(model.parameters)
        objective = try DenoisingObjective(SchedulerConfiguration())
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

    func space(_ kind: PruningSpace.Kind) -> PruningSpace { kind == .channels ? channels : weights }

    // MARK: calibration

    var batchCount: Int { 2 }
    var stageCount: Int { 5 }
    var sampleCount: Int { 3 }
    func loss(batch index: Int) throws -> Variable { loss(of: model, batch: index) }
    func loss(stage: Int) throws -> Variable {
        objective.loss(of: model, batch(7, timesteps: [stage * 100, stage * 100]))
    }
    func loss(sample: Int) throws -> Variable { objective.loss(of: model, batch(sample, timesteps: [300 * sample])) }

    private func loss(of network: UNet, batch index: Int) -> Variable {
        objective.loss(of: network, batch(index, timesteps: [100 + index, 700]))
    }

    func output(of network: UNet) -> [Float] {
        let images = batch(9, timesteps: [10, 900])
        return Autograd.withoutRecording { network(Variable(images.clean), timesteps: [10, 900]).value.array }
    }

    // MARK: what a method works on

    /// What of a calibration source there is.
    enum Offer {
        case none
        /// Batches, and neither samples nor stages.
        case batches
        case everything
    }

    /// A calibration source that gives nothing but batches' losses.
    private final class Batches: CalibrationSource {
        private let source: any CalibrationSource
        init(_ source: any CalibrationSource) { self.source = source }
        var batchCount: Int { source.batchCount }
        func loss(batch: Int) throws -> Variable { try source.loss(batch: batch) }
    }

    var batchesOnly: any CalibrationSource { Batches(self) }

    /// - Parameter declared: what may be asked for; nil for all.
    func evidence(_ data: Offer = .everything, declared: [any EvidenceKind.Type]? = nil) -> EvidenceSource {
        let calibration: (any CalibrationSource)? =
            switch data {
            case .none: nil
            case .batches: batchesOnly
            case .everything: self
            }
        return EvidenceSource(network: model, arena: arena, calibration: calibration, declared: declared)
    }

    func context(
        _ target: String, _ granularity: Granularity = .channel, allocation: Allocation = .global,
        comparesRows: Bool = false, evidence: EvidenceSource? = nil
    ) throws -> PruningContext {
        let space = space(granularity.space)
        return try PruningContext(
            space: space, evidence: evidence ?? self.evidence(),
            selection: Selection(
                space: space, network: model, budget: Budget(parsing: target), granularity: granularity,
                minimumFraction: 0, allocation: allocation, comparesRows: comparesRows))
    }

    // MARK: runs

    struct Outcome {
        var masks: Masks
        var reports: [MaskUpdateReport] = []
        /// Masks after each update.
        var history: [Masks] = []
        /// What the network computed under the masks, and what it computes without them once they were carried out for
        /// good: max |difference| / max |output|.
        var difference: Float?
        /// Of the network that is left, trained.
        var weights: [Float] = []

        /// Whether two runs came to the same, bit for bit.
        func isSame(as other: Outcome) -> Bool {
            masks.values == other.masks.values && reports == other.reports && difference == other.difference
                && weights == other.weights
        }
    }

    /// Carries out a method's plan: a step of training for each update, those after the last update on what is left.
    ///
    /// - Parameter interrupted: after every stage the method is made anew from its configuration, its state goes through
    ///   a checkpoint's values, masks are read back as an array, and nothing that was gathered is remembered.
    func run<P: Pruner>(
        _ pruner: P, in context: PruningContext, interrupted: Bool = false, seed: UInt64 = 1
    ) throws -> Outcome {
        var (pruner, context) = (pruner, context)
        var outcome = Outcome(masks: Masks(context.space))
        var trained = Trained(model, arena)
        let stages = plan(of: pruner, in: context).stages
        for stage in stages {
            switch stage {
            case .update(let number):
                outcome.reports.append(try pruner.update(&outcome.masks, number: number, in: context))
                outcome.history.append(outcome.masks)
            case .train(let steps):
                let masks = trained.network === model ? outcome.masks : Masks(context.space)
                masks.applied {
                    for _ in 0..<steps { trained.step(loss(of: trained.network, batch: 0)) }
                }
                context.evidence.weightsChanged()
            case .compact:
                let masked = outcome.masks.applied { output(of: model) }
                let network = try Compaction(model, masks: outcome.masks).network
                trained = Trained(network, ParameterArena(network.parameters))
                outcome.difference = Self.difference(masked, output(of: network))
            case .bake:
                let masked = outcome.masks.applied { output(of: model) }
                for (site, range) in zip(context.space.sites, context.space.ranges) {
                    guard case .weight(let parameter, _) = site else { continue }
                    for (element, coordinate) in range.enumerated() {
                        parameter.variable.value.pointer[element] *= outcome.masks.values[coordinate]
                    }
                }
                outcome.difference = Self.difference(masked, output(of: model))
            case .snapshot, .rewind, .reconstruct:
                Issue.record("the bench cannot carry out \(stage)")
            }
            if interrupted {
                var state = PrunerState(arrays: pruner.state.arrays)
                let text = try JSONValue.object(pruner.state.values).text()
                state.values = try #require(JSONValue(parsing: text).objectValue)
                pruner = P(pruner.configuration, seed: seed)
                try pruner.restore(state, in: context.space)
                outcome.masks = Masks(context.space, outcome.masks.values.map { Float(bitPattern: $0.bitPattern) })
                context = PruningContext(
                    space: context.space, evidence: evidence(declared: P.needs), selection: context.selection)
            }
        }
        outcome.weights = trained.arena.values.array
        return outcome
    }

    /// As many steps as updates: one between neighbours and one at the end.
    func plan(of pruner: some Pruner, in context: PruningContext) -> PruningPlan {
        let count = pruner.updates
        return pruner.plan(
            PlanTiming(
                steps: count, softFraction: Double(count - 1) / Double(max(count, 1)), space: context.space.kind))
    }

    /// One step of fine-tuning under the masks, so that later updates judge other weights.
    func tune(_ masks: Masks) {
        masks.applied { Trained(model, arena).step(loss(of: model, batch: 0)) }
    }

    /// max |a − b| / max |a|
    private static func difference(_ a: [Float], _ b: [Float]) -> Float {
        let scale = a.reduce(0) { max($0, abs($1)) }
        return a.count == b.count ? zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) } / scale : .infinity
    }

    /// A network in training.
    private struct Trained {
        let network: UNet
        let arena: ParameterArena
        private let optimizer: Optimizer

        init(_ network: UNet, _ arena: ParameterArena) {
            self.network = network
            self.arena = arena
            var sgd = OptimizerConfiguration()
            sgd.kind = .sgd
            optimizer = Optimizer(sgd, arena: arena)
        }

        func step(_ loss: Variable) {
            arena.clearGradients()
            loss.backward()
            arena.completeGradients()
            optimizer.update(arena, learningRate: 0.01)
        }
    }
}

extension Pruner {
    /// How many times it changes the masks.
    var updates: Int { plan(PlanTiming(steps: 0, softFraction: 1, space: .channels)).updates }
}

extension MethodEntry {
    /// The default configuration with some values replaced, at any depth.
    func configuration(replacing values: [String: Any]) throws -> Data {
        func replaced(_ object: [String: Any]) -> [String: Any] {
            var object = object
            for (key, value) in object {
                if let replacement = values[key] {
                    object[key] = replacement
                } else if let inner = value as? [String: Any] {
                    object[key] = replaced(inner)
                }
            }
            return object
        }
        return try JSONSerialization.data(withJSONObject: replaced(defaults()))
    }

    func defaults() throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: defaultConfiguration()) as? [String: Any])
    }

    /// A pruner that takes several updates where the method has a choice, so that there is something to resume, and as
    /// little time as it can.
    func pruner(seed: UInt64 = 1, rounds: Int = 4) throws -> any Pruner {
        try make(configuration(replacing: ["rounds": rounds, "flowSteps": 4, "probes": 2]), seed)
    }
}

extension MethodEntry: CustomTestStringConvertible {
    public var testDescription: String { card.name }
}
