import Files
import Layers
import Pruning
import TensorCore
import Training

/// Discrimination-aware channel pruning: the channels that a layer reads are taken up one group after the other, always
/// those whose weights the joint loss pulls at most.
///
///     J(A) = Σ_c ‖y_c − ŷ_c(A)‖²/‖y_c‖² + λ·L_p(A)/L_p      c: the layers that read the axis
///     A ← A ∪ argmax_k ‖∂J/∂w_k‖_F                            w_k: their weights on channel k, 0 while k is out
///
/// y of the whole network, ŷ(A) with the channels A alone, whose weights are refitted by least squares each time A has
/// grown; L_p: the loss of the next of several heads (`AuxiliaryHeads`), which tells classes apart where there are
/// classes and predicts noise otherwise; behind the last head the network's own loss. Channels are scored by J as it
/// was when they joined; in the end the weights of what is left are refitted layer by layer (`LeastSquaresRepair`).
///
/// Based on: Zhuang et al., "Discrimination-aware Channel Pruning for Deep Neural Networks", NeurIPS 2018,
/// arXiv 1810.11809.
///
/// Differs from the paper: heads are linear and fitted to the trained network, instead of the network being fine-tuned
/// with them; noise heads; channels join in a few groups; each axis is judged with all others whole; weights are
/// refitted in closed form to the outputs alone; λ counts relative to what L_p is without pruning. Each axis keeps the
/// same share, as in the paper, unless the allocation says otherwise.
public struct DiscriminationAware: Pruner {
    public struct Configuration: PrunerConfiguration {
        /// λ.
        public var auxiliaryWeight = 1.0
        /// Heads.
        public var heads = 3
        /// Groups in which an axis's channels join.
        public var groups = 6
        /// Calibration batches that J is taken over.
        public var batches = 4
        /// Whether the weights of what is left are refitted at the end.
        public var reconstruct = true
        /// Of least squares: λ over the mean diagonal of the second moments.
        public var damping = LeastSquaresRepair.usualDamping
        /// Of least squares: patches of each layer from every calibration batch.
        public var patchesPerBatch = LeastSquaresRepair.usualPatchesPerBatch

        public init() {}

        public func validate() throws {
            try require(
                auxiliaryWeight >= 0 && auxiliaryWeight.isFinite, "auxiliary_weight", got: auxiliaryWeight,
                expected: "at least 0")
            try require((0...100).contains(heads), "heads", got: heads, expected: "0...100")
            try require((1...10_000).contains(groups), "groups", got: groups, expected: "1...10000")
            try require((1...10_000).contains(batches), "batches", got: batches, expected: "1...10000")
            try require(damping > 0 && damping <= 10, "damping", got: damping, expected: "in (0, 10]")
            try require(
                (1...100_000).contains(patchesPerBatch), "patches_per_batch", got: patchesPerBatch,
                expected: "1...100000")
        }
    }

    public static let card = MethodCard(
        name: "discrimination-aware", family: "structured",
        summary: "takes up the channels that layers' outputs and auxiliary heads need most",
        granularities: [.channel, .block, .head, .aligned, .regular, .level], allocation: .uniform,
        paper: "Zhuang et al., 2018, arXiv 1810.11809")
    public static let needs: [any EvidenceKind.Type] = [JoiningOrder.self] + LeastSquaresRepair.needs

    public let configuration: Configuration
    private let repair: LeastSquaresRepair

    public init(_ configuration: Configuration, seed: UInt64) {
        self.configuration = configuration
        repair = LeastSquaresRepair(
            damping: configuration.damping, patchesPerBatch: configuration.patchesPerBatch, seed: seed)
    }

    public func plan(_ timing: PlanTiming) -> PruningPlan {
        .updates(1, timing, repairs: configuration.reconstruct)
    }

    public func lossCount(
        of stage: PruningPlan.Stage, from calibration: any CalibrationSource, in space: PruningSpace
    ) -> Int {
        switch stage {
        case .update: order.lossCount(from: calibration, in: space)
        case .reconstruct: space.lossCountOfRepair(from: calibration)
        default: 0
        }
    }

    private var order: JoiningOrder {
        JoiningOrder(
            auxiliaryWeight: configuration.auxiliaryWeight, heads: configuration.heads, groups: configuration.groups,
            batches: configuration.batches, damping: repair.damping, patchesPerBatch: repair.patchesPerBatch,
            seed: repair.seed)
    }

    public mutating func update(
        _ masks: inout Masks, number: Int, in context: PruningContext
    ) throws -> MaskUpdateReport {
        let old = masks
        masks = try context.selection.masks(
            keeping: Scores(context.space, bySite: context.evidence(order, at: masks)), remaining: context.remaining)
        return context.report(from: old, to: masks)
    }

    public mutating func reconstruct(_ masks: Masks, in context: PruningContext) throws {
        try repair.apply(masks, in: context)
    }
}

/// The order in which each axis's channels join, as `DiscriminationAware` says: for each channel J as it was then.
struct JoiningOrder: EvidenceKind {
    static let name = "discriminative gradients"

    let auxiliaryWeight: Double
    let heads: Int
    let groups: Int
    let batches: Int
    let damping: Double
    let patchesPerBatch: Int
    let seed: UInt64

    static func isOffered(by calibration: (any CalibrationSource)?) -> Bool {
        (calibration as? any TargetedCalibration)?.hasTargets == true
    }

    func lossCount(from calibration: any CalibrationSource, in space: PruningSpace) -> Int {
        let batches = min(batches, calibration.batchCount)
        let consumers = space.groups.reduce(0) { $0 + $1.consumers.count }
        // Heads; the outputs of all layers; patches of each reader; each axis as it is and with every group.
        return 1 + batches + calibration.batchCount * (1 + consumers) + space.groups.count * batches * (1 + groups)
    }

    func gather(at masks: Masks, from source: EvidenceSource) throws -> [[Double]] {
        let calibration: any TargetedCalibration = try source.calibration(for: Self.self)
        let checkpointing = source.network as? any BlockCheckpointing
        // What blocks compute again is not seen, and has no derivatives for who sees it.
        let wasCheckpointing = checkpointing?.usesGradientCheckpointing ?? false
        checkpointing?.usesGradientCheckpointing = false
        defer { checkpointing?.usesGradientCheckpointing = wasCheckpointing }
        return try masks.applied {
            let batches = min(batches, calibration.batchCount)
            let heads = try AuxiliaryHeads(heads, from: calibration, batches: batches)
            return try masks.space.groups.map { group in
                let axis = try JoiningAxis(self, group, heads, calibration, batches: batches, masks, source)
                return try axis?.scores() ?? Array(repeating: 0, count: group.width)
            }
        }
    }
}

/// One axis whose channels join.
private struct JoiningAxis {
    private let settings: JoiningOrder
    private let group: PrunableGroup
    private let calibration: any TargetedCalibration
    private let batches: Int
    private let source: EvidenceSource
    private let head: AuxiliaryHeads.Head?
    private let readers: [Reader]
    /// What L_p is while nothing is pruned.
    private var auxiliaryLoss = 1.0

    /// A layer that reads the axis.
    private final class Reader {
        let weight: Parameter
        /// The layer's input channels of each channel of the axis.
        let channels: [[Int]]
        let update: LayerUpdate
        let bias: Parameter?
        /// y of each batch, with Σ y².
        var targets: [(values: Tensor, energy: Float)] = []

        init(_ reader: AxisReader, _ update: LayerUpdate, bias: Parameter?) {
            weight = reader.weight
            channels = reader.channels
            self.update = update
            self.bias = bias
        }

        var key: ObjectIdentifier { ObjectIdentifier(weight) }

        /// The weights, and behind them the biases, fitted to some channels of the axis; those of the others are zero.
        func rows(joined: [Bool]) throws -> [Float] {
            let shape = weight.variable.shape
            let (inputs, outputs) = (shape[shape.count - 2], shape[shape.count - 1])
            var isLeft = [Bool](repeating: true, count: inputs)
            for (channel, members) in channels.enumerated() where !joined[channel] {
                for member in members { isLeft[member] = false }
            }
            var rows = try update.rows(of: weight, PatchMask(weight, channels: isLeft))
            for index in 0..<weight.count where !isLeft[index / outputs % inputs] { rows[index] = 0 }
            return rows
        }
    }

    /// A parameter computed with by other values, whose derivatives it takes.
    private final class Stand: Reparameterization {
        private let values: Tensor
        init(_ values: Tensor) { self.values = values }
        func materialize(_ base: Variable) -> Variable { base.straightThrough(value: values) }
    }

    /// nil where no layer reads the axis.
    init?(
        _ settings: JoiningOrder, _ group: PrunableGroup, _ heads: AuxiliaryHeads,
        _ calibration: any TargetedCalibration, batches: Int, _ masks: Masks, _ source: EvidenceSource
    ) throws {
        (self.settings, self.group, self.calibration) = (settings, group, calibration)
        (self.batches, self.source) = (batches, source)
        func patches(_ part: InputPatches.Part) -> InputPatches {
            InputPatches(part, patchesPerBatch: settings.patchesPerBatch, seed: settings.seed)
        }
        let outputs = try source(patches(.outputs), at: masks)
        readers = try AxisReader.all(of: group).compactMap { reader in
            let kind = patches(.patches(of: ObjectIdentifier(reader.weight)))
            guard let target = outputs[reader.weight], let read = try source(kind, at: masks)[reader.weight]
            else { return nil }
            let update = try LayerUpdate(read, outputs: target.outputs, damping: settings.damping)
            return Reader(reader, update, bias: read.bias)
        }
        guard let first = readers.first else { return nil }
        head = heads.head(after: first.weight)
        var total = 0.0
        for batch in 0..<batches {
            try Autograd.withoutRecording {
                let (seen, loss) = try pass(batch)
                total += Double(loss.value.scalar) / Double(batches)
                for reader in readers {
                    guard let values = seen[reader.key]?.value else { continue }
                    let energy = values.array.reduce(0) { $0 + $1 * $1 }
                    reader.targets.append((values.copied(), max(energy, .leastNormalMagnitude)))
                }
            }
        }
        auxiliaryLoss = total > 0 ? total : 1
    }

    /// What the readers put out, and the auxiliary loss.
    private func pass(_ batch: Int) throws -> ([ObjectIdentifier: Variable], Variable) {
        let eyes = FeatureReader(
            Set(readers.map(\.key) + [head.map { ObjectIdentifier($0.layer) }].compactMap { $0 }))
        let loss = try eyes.observing { try calibration.loss(batch: batch) }
        guard let head, let feature = eyes.outputs[ObjectIdentifier(head.layer)] else { return (eyes.outputs, loss) }
        return (eyes.outputs, calibration.targets(batch: batch).map { head.loss(feature, $0) } ?? loss)
    }

    /// J with some channels joined, and ‖∂J/∂w_k‖² of every channel.
    private func pull(joined: [Bool]) throws -> (loss: Double, squares: [Double]) {
        var restore: [() -> Void] = []
        defer { restore.reversed().forEach { $0() } }
        for reader in readers {
            let rows = try reader.rows(joined: joined)
            let weight = reader.weight
            let stands =
                [(weight, Array(rows[..<weight.count]))]
                + (reader.bias.map { [($0, Array(rows[weight.count...]))] } ?? [])
            for (parameter, values) in stands {
                let former = parameter.reparameterization
                restore.append { parameter.reparameterization = former }
                parameter.reparameterization = Stand(Tensor(values, shape: parameter.variable.shape))
            }
        }
        source.arena.clearGradients()
        var total = 0.0
        for batch in 0..<batches {
            let (seen, auxiliary) = try pass(batch)
            var joint = auxiliary.scaled(by: Float(settings.auxiliaryWeight / auxiliaryLoss / Double(batches)))
            for reader in readers where reader.targets.indices.contains(batch) {
                guard let output = seen[reader.key] else { continue }
                let (target, energy) = reader.targets[batch]
                let scale = Float(target.count) / energy / Float(batches)
                joint = joint.combined(1, plus: output.meanSquaredError(to: target), times: scale)
            }
            total += Double(joint.value.scalar)
            joint.backward()
        }
        guard total.isFinite else { throw EvidenceError.notFinite("the calibration loss") }
        var squares = [Double](repeating: 0, count: group.width)
        for reader in readers {
            guard let gradient = reader.weight.variable.gradient else { continue }
            let shape = gradient.shape
            let (inputs, outputs) = (shape[shape.count - 2], shape[shape.count - 1])
            var sums = [Double](repeating: 0, count: inputs)
            for index in 0..<gradient.count {
                sums[index / outputs % inputs] += Double(gradient.pointer[index]) * Double(gradient.pointer[index])
            }
            for (channel, members) in reader.channels.enumerated() {
                for member in members { squares[channel] += sums[member] }
            }
        }
        return (total, squares)
    }

    /// J as it was when each channel joined: between what it was before its group and after, by its place in it.
    func scores() throws -> [Double] {
        let width = group.width
        var joined = [Bool](repeating: false, count: width)
        var places: [[Int]] = []
        var losses: [Double] = []
        let size = (width + settings.groups - 1) / settings.groups
        while joined.contains(false) {
            let (loss, squares) = try pull(joined: joined)
            // Taking up more cannot make it worse but by chance.
            losses.append(min(loss, losses.last ?? loss))
            let waiting = (0..<width).filter { !joined[$0] }.sorted { (squares[$1], $0) < (squares[$0], $1) }
            places.append(Array(waiting.prefix(size)))
            for channel in waiting.prefix(size) { joined[channel] = true }
        }
        // All of them: outputs as they were.
        losses.append(min(settings.auxiliaryWeight, losses.last ?? 0))
        var scores = [Double](repeating: 0, count: width)
        for (number, channels) in places.enumerated() {
            for (place, channel) in channels.enumerated() {
                let share = (Double(place) + 0.5) / Double(channels.count)
                scores[channel] = losses[number] + (losses[number + 1] - losses[number]) * share
            }
        }
        return scores
    }
}
