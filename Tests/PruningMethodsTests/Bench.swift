import Classification
import Diffusion
import Files
import Layers
import Foundation
import Models
import Pruning
import PruningMethods
import TensorCore
import Testing
import Training

/// A tiny U-Net in training.
typealias Bench = MethodBench<Denoising<UNet>>

/// What a bench judges a network by.
struct BenchSubject<Task: LearningTask> {
    let task: Task
    let network: Task.Network
    /// Batch `index` of two samples, which training sees at index 0.
    let batch: (_ index: Int) -> Task.Batch
    /// Of one sample.
    let sample: (_ index: Int) -> Task.Batch
    /// Two samples at a stage; a task without stages is not asked.
    let stage: (_ index: Int) -> Task.Batch
    let stageCount: Int
    /// What a network makes of samples that are none of these.
    let output: (Task.Network) -> [Float]
}

/// A tiny network in training, with a calibration source of random images:
/// enough for every method to have something to judge.
final class MethodBench<Task: LearningTask>: CompleteCalibration {
    let model: Task.Network
    /// Of the model.
    let arena: ParameterArena
    private let subject: BenchSubject<Task>
    private let trainer: Trainer<Task>
    private let channels: PruningSpace
    private let weights: PruningSpace

    init(_ subject: BenchSubject<Task>) throws {
        self.subject = subject
        model = subject.network
        model.initialize(seed: 21)
        channels = .channels(of: model)
        weights = .weights(of: model)
        var training = TrainingConfiguration()
        training.optimizer.kind = .sgd
        training.learningRate = 0.01
        training.ema = 0
        training.gradientClip = 0
        trainer = try Trainer(
            subject.task, network: model, batches: BenchBatches(batch: subject.batch), configuration: training)
        arena = trainer.arena
    }

    func space(_ kind: PruningSpace.Kind) -> PruningSpace { kind == .channels ? channels : weights }

    // MARK: calibration

    var batchCount: Int { 2 }
    var stageCount: Int { subject.stageCount }
    var sampleCount: Int { 3 }
    func loss(batch: Int) throws -> Variable { try loss(subject.batch(batch), of: model) }
    func loss(stage: Int) throws -> Variable { try loss(subject.stage(stage), of: model) }
    func loss(sample: Int) throws -> Variable { try loss(subject.sample(sample), of: model) }

    func targets(batch: Int) -> SampleTargets? { subject.task.targets(of: subject.batch(batch)) }

    private func loss(_ batch: Task.Batch, of network: Task.Network) throws -> Variable {
        try subject.task.loss(of: network, on: batch, teacher: nil, dropout: nil)
    }

    func output(of network: Task.Network) -> [Float] { Autograd.withoutRecording { subject.output(network) } }

    /// The mean loss over the batches of a network like the model.
    func meanLoss(of network: Task.Network) throws -> Double {
        try Autograd.withoutRecording {
            try (0..<batchCount).reduce(0.0) { sum, batch in
                sum + Double(try loss(subject.batch(batch), of: network).value.scalar)
            }
        } / Double(batchCount)
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
    func evidence(_ offer: Offer = .everything, declared: [any EvidenceKind.Type]? = nil) -> EvidenceSource {
        let calibration: (any CalibrationSource)? =
            switch offer {
            case .none: nil
            case .batches: batchesOnly
            case .everything: self
            }
        return EvidenceSource(network: model, arena: arena, calibration: calibration, declared: declared)
    }

    /// - Parameter steps: of training, half of them before the last update.
    func context(
        _ target: String, _ granularity: Granularity = .channel, for card: MethodCard? = nil, steps: Int = 6,
        evidence: EvidenceSource? = nil, minimumFraction: Double = 0
    ) throws -> PruningContext {
        let space = space(granularity.space)
        let budget = try Budget(parsing: target)
        return try PruningContext(
            space: space, evidence: evidence ?? self.evidence(),
            selection: Selection(
                space: space, network: model, budget: budget, granularity: granularity,
                minimumFraction: minimumFraction,
                allocation: card?.allocation(for: granularity.name) ?? .global,
                comparesRows: card?.comparesRows ?? false),
            timing: PlanTiming(steps: steps, softFraction: 0.5, space: space.kind, remaining: budget.remaining))
    }

    // MARK: runs

    struct Outcome {
        var masks: Masks
        var reports: [MaskUpdateReport] = []
        /// Masks after each update.
        var history: [Masks] = []
        /// Masks after each step that moved them.
        var moves: [Masks] = []
        /// What the network computed under the masks, and what it computes without them once they were carried out for
        /// good: max |difference| / max |output|.
        var difference: Float?
        /// Of the network that is left, trained.
        var weights: [Float] = []

        /// Whether two runs came to the same, bit for bit.
        func isSame(as other: Outcome) -> Bool {
            masks.values == other.masks.values && reports == other.reports && weights == other.weights
                && moves.map(\.values) == other.moves.map(\.values)
        }
    }

    /// Carries out a method's plan.
    ///
    /// - Parameter interrupted: after every stage the method is made anew from its configuration, its state goes
    ///   through a checkpoint's values, masks are read back as an array, training goes on from its own state, and
    ///   nothing that was gathered is remembered.
    func run<P: Pruner>(
        _ pruner: P, in context: PruningContext, interrupted: Bool = false, seed: UInt64 = 1
    ) throws -> Outcome {
        var (pruner, context) = (pruner, context)
        var outcome = Outcome(masks: Masks(context.space))
        var snapshots: [String: TrainerState] = [:]
        trainer.setExtensions(pruner.extensions(in: context))
        let plan = pruner.plan(context.timing)
        for (index, stage) in plan.stages.enumerated() {
            switch stage {
            case .update(let number):
                outcome.reports.append(try pruner.update(&outcome.masks, number: number, in: context))
                outcome.history.append(outcome.masks)
            case .train(let steps):
                let isMoving = pruner.movesWithSteps && plan.lastUpdate.map { index < $0 } == true
                let masks = pruner.masksAreOnNetwork ? Masks(context.space) : outcome.masks
                for _ in 0..<steps {
                    if isMoving { try move(&outcome, by: &pruner, in: context) } else { try tune(masks) }
                }
                context.evidence.weightsChanged()
            case .snapshot(let name): snapshots[name] = trainer.snapshot()
            case .rewind(let name, let weights):
                try trainer.rewind(to: #require(snapshots[name]), weights: weights, schedule: true)
                context.evidence.weightsChanged()
            case .reconstruct:
                try pruner.reconstruct(outcome.masks, in: context)
                context.evidence.weightsChanged()
            case .compact:
                let masked = outcome.masks.applied { output(of: model) }
                let compaction = try Compaction(model, masks: outcome.masks)
                try trainer.adopt(compaction.network) { compaction.gather($0, from: $1, to: $2) }
                outcome.difference = Self.difference(masked, output(of: compaction.network))
            case .bake:
                let masked = outcome.masks.applied { output(of: model) }
                trainer.multiplyWeights(by: outcome.masks.flat(in: arena))
                outcome.difference = Self.difference(masked, output(of: model))
            }
            if interrupted {
                (pruner, context) = try resumed(pruner, context, &outcome, seed: seed)
            }
        }
        outcome.weights = trainer.arena.values.array
        return outcome
    }

    /// One step of training, and of the masks by what it says of them.
    private func move(_ outcome: inout Outcome, by pruner: inout some Pruner, in context: PruningContext) throws {
        let gradients = try outcome.masks.applied(trainable: true, withTangents: false) { applied in
            _ = try trainer.advance()
            return applied.takeGradients().gradients
        }
        let progress = Double(trainer.step) / Double(context.timing.softSteps)
        try pruner.move(&outcome.masks, by: gradients, progress: progress, in: context)
        outcome.moves.append(outcome.masks)
    }

    private func resumed<P: Pruner>(
        _ pruner: P, _ context: PruningContext, _ outcome: inout Outcome, seed: UInt64
    ) throws -> (P, PruningContext) {
        let context = PruningContext(
            space: context.space, evidence: evidence(declared: P.needs), selection: context.selection,
            timing: context.timing)
        let training = trainer.snapshot()
        var state = PrunerState(arrays: pruner.state.arrays)
        let text = try JSONValue.object(pruner.state.values).text()
        state.values = try #require(JSONValue(parsing: text).objectValue)
        var pruner = P(pruner.configuration, seed: seed)
        if trainer.network === model { trainer.setExtensions(pruner.extensions(in: context)) }
        try pruner.restore(state, in: context.space)
        try trainer.restore(training)
        outcome.masks = Masks(context.space, Array(outcome.masks.values))
        return (pruner, context)
    }

    /// One step of training, under the masks as long as they are of the network that is trained.
    func tune(_ masks: Masks) throws {
        guard trainer.network === model else {
            try trainer.advance()
            return
        }
        _ = try masks.applied { try trainer.advance() }
    }

    /// Some steps of training with a method's extensions.
    func train(steps: Int, extensions: [any TrainingExtension]) throws {
        trainer.setExtensions(extensions)
        for _ in 0..<steps { try trainer.advance() }
    }

    /// max |a − b| / max |a|
    private static func difference(_ a: [Float], _ b: [Float]) -> Float {
        let scale = a.reduce(0) { max($0, abs($1)) }
        return a.count == b.count ? zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) } / scale : .infinity
    }
}

extension MethodBench where Task == Denoising<UNet> {
    convenience init() throws {
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
        func batch(_ index: Int, timesteps: [Int]) -> DenoisingBatch {
            let shape = [timesteps.count, 8, 8, 1]
            return DenoisingBatch(
                clean: BenchImages.drawn("test-images", index, shape),
                noise: BenchImages.drawn(.calibration, index, shape), timesteps: timesteps)
        }
        try self.init(
            BenchSubject(
                task: Denoising(DenoisingObjective(SchedulerConfiguration())), network: UNet(configuration),
                batch: { batch($0, timesteps: [100 + $0, 700]) }, sample: { batch($0, timesteps: [300 * $0]) },
                stage: { batch(7, timesteps: [$0 * 100, $0 * 100]) }, stageCount: 5
            ) { network in
                network(Variable(batch(9, timesteps: [10, 900]).clean), timesteps: [10, 900]).value.array
            })
    }

    /// Σ over layers of what became of their outputs, relative to what those were, by patches that chose nothing.
    static func outputError(
        after pruner: some Pruner, _ target: String, _ granularity: Granularity = .channel
    ) throws -> Double {
        let bench = try Bench()
        let context = try bench.context(target, granularity, for: type(of: pruner).card, steps: 0)
        let kind = InputPatches(.outputs, patchesPerBatch: 256, seed: 77)
        let evidence = bench.evidence()
        let whole = try evidence(kind, at: Masks(context.space))
        let masks = try bench.run(pruner, in: context).masks
        evidence.weightsChanged()
        let pruned = try evidence(kind, at: masks)
        return bench.model.parameters.reduce(0) { sum, weight in
            guard weight.isMaskable, let before = whole[weight]?.outputs, let after = pruned[weight]?.outputs else {
                return sum
            }
            let difference = zip(before, after).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            return sum + difference / before.reduce(0) { $0 + $1 * $1 }
        }
    }

}

extension MethodBench where Task == Classification<ImageClassifier> {
    /// A tiny ResNet in training.
    convenience init() throws {
        var configuration = ImageClassifierConfiguration()
        configuration.depths = [2, 2]
        configuration.widths = [8, 12]
        configuration.inputSize = 8
        configuration.inChannels = 1
        configuration.numClasses = 3
        func batch(_ index: Int, labels: [Int]) -> LabelledBatch {
            LabelledBatch(images: BenchImages.drawn("test-images", index, [labels.count, 8, 8, 1]), labels: labels)
        }
        try self.init(
            BenchSubject(
                task: Classification(), network: ImageClassifier(configuration),
                batch: { batch($0, labels: [$0 % 3, 2]) }, sample: { batch($0, labels: [$0]) },
                stage: { batch($0, labels: [0]) }, stageCount: 0
            ) { network in
                network.logits(of: Variable(batch(9, labels: [0, 1, 2]).images)).value.array
            })
    }
}

private enum BenchImages {
    static func drawn(_ purpose: RandomPurpose, _ index: Int, _ shape: [Int]) -> Tensor {
        let tensor = Tensor(uninitialized: shape)
        var stream = RandomStream(seed: 22, purpose: purpose, index: UInt64(index))
        stream.fillNormal(tensor.unsafeBuffer)
        return tensor
    }
}

/// Every step sees the same images.
private struct BenchBatches<Batch>: BatchSource {
    let batch: (_ index: Int) -> Batch

    func batch(step: Int) -> Batch { batch(0) }
    func calibrationBatch(number: Int, of count: Int, size: Int) -> Batch { batch(number) }
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

    /// A pruner that takes several updates where the method has a choice, so that there is something to resume, and as
    /// little time as it can.
    func pruner(seed: UInt64 = 1, rounds: Int = 4) throws -> any Pruner {
        try make(
            configuration(replacing: [
                "rounds": .int(rounds), "probes": 2, "every": 1, "samplesPerBatch": 16,
            ]), seed)
    }
}

extension MethodEntry: CustomTestStringConvertible {
    public var testDescription: String { card.name }
}
