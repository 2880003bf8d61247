import Files
import Layers
import Pruning
import TensorCore
import Training

/// Movement pruning: what fine-tuning moves towards zero leaves, whatever its size.
///
///     S ← S − α·∂L/∂m,   ∂L/∂m of a weight = w·∂L/∂w′ (also of those that are off: straight-through)
///     m = 1 for the highest S within density(t), else 0
///
/// Scores add up over every training step of the soft share; masks are chosen anew every few steps, along the
/// schedule, so that what left comes back when its score rises again. Of a channel ∂L/∂m is its gate's derivative, the
/// sum over the weights on it.
///
/// Based on: Sanh, Wolf & Rush, "Movement Pruning: Adaptive Sparsity by Fine-Tuning", NeurIPS 2020, arXiv 2005.07683.
///
/// Differs from the paper: channels too; masks are chosen every few steps instead of every step, over all layers
/// together.
public struct Movement: Pruner {
    public struct Configuration: PrunerConfiguration {
        /// Steps from one choice of masks to the next.
        public var every = 10
        /// How the density falls.
        public var schedule = MaskSchedule.cubic

        public init() {}

        public func validate() throws {
            try require((1...1_000_000).contains(every), "every", got: every, expected: "1...1000000")
        }
    }

    public static let card = MethodCard(
        name: "movement", family: "gradient", summary: "removes what training moves towards zero",
        granularities: [.weight, .channel, .block, .head, .aligned, .regular, .level, .layer], needsTraining: true,
        paper: "Sanh, Wolf & Rush, 2020, arXiv 2005.07683")
    public static let needs: [any EvidenceKind.Type] = []

    public let configuration: Configuration
    private var scores: MovementScores?

    public init(_ configuration: Configuration, seed: UInt64) { self.configuration = configuration }

    public func plan(_ timing: PlanTiming) -> PruningPlan { MaskLearning.plan(timing) }

    public mutating func extensions(in context: PruningContext) -> [any TrainingExtension] {
        let scores = self.scores ?? MovementScores(in: context, configuration)
        self.scores = scores
        return [scores]
    }

    public mutating func update(
        _ masks: inout Masks, number: Int, in context: PruningContext
    ) throws -> MaskUpdateReport {
        _ = extensions(in: context)
        let old = masks
        masks = try scores?.chosen(context.remaining) ?? masks
        scores?.detach()
        return context.report(from: old, to: masks)
    }
}

/// Adds up scores, and keeps the masks that follow from them on the network.
final class MovementScores: TrainingExtension {
    let name = "movement"
    private let space: PruningSpace
    private let selection: Selection
    private let remaining: Double
    private let configuration: Movement.Configuration
    private let softSteps: Int
    /// The masks on the network, a leaf a site, whose gradients are what is added up.
    private let leaves: [Variable]
    private var owners: [AnyObject] = []
    private var scores: [Float]
    private var isOn = true

    init(in context: PruningContext, _ configuration: Movement.Configuration) {
        space = context.space
        selection = context.selection
        remaining = context.remaining
        self.configuration = configuration
        softSteps = context.timing.softSteps
        scores = Array(repeating: 0, count: context.space.count)
        leaves = context.space.sites.map { site in
            let shape: [Int] =
                switch site {
                case .axis(let group): [group.width]
                case .weight(let parameter, _): parameter.variable.shape
                }
            let values = Tensor(uninitialized: shape)
            values.fill(1)
            return Variable(values, requiresGradient: true)
        }
        for (site, leaf) in zip(space.sites, leaves) {
            switch site {
            case .axis(let group):
                let gate = LeafGate(leaf)
                group.axis.gating = gate
                owners.append(gate)
            case .weight(let parameter, _):
                let mask = LeafGate(leaf)
                parameter.reparameterization = mask
                owners.append(mask)
            }
        }
    }

    /// The highest scores within a density; at first, when all are equal, nothing has moved and everything stays.
    func chosen(_ density: Double) throws -> Masks {
        try selection.masks(keeping: Scores(space, scores.map(Double.init)), remaining: density)
    }

    func prepare(step: Int) {
        guard isOn else { return }
        for leaf in leaves { leaf.clearGradients() }
        guard step > 0, step % configuration.every == 0 else { return }
        let progress = Double(step) / Double(max(softSteps, 1))
        let density = configuration.schedule.density(at: progress, final: remaining)
        // A density that the granularity cannot reach yet leaves the masks as they are; the last one has to be met.
        guard density < 1, let masks = try? chosen(density) else { return }
        for (leaf, mask) in zip(leaves, masks.bySite) { leaf.value.assign(Tensor(mask, shape: leaf.shape)) }
    }

    func afterBackward(step: Int, optimizer: Optimizer) {
        guard isOn else { return }
        for (leaf, range) in zip(leaves, space.ranges) {
            guard let gradient = leaf.gradient else { continue }
            for (index, value) in zip(range, gradient.array) { scores[index] -= value }
        }
    }

    /// Takes the masks off the network.
    func detach() {
        isOn = false
        for (site, owner) in zip(space.sites, owners) {
            switch site {
            case .axis(let group): if group.axis.gating === owner { group.axis.gating = nil }
            case .weight(let parameter, _):
                if parameter.reparameterization === owner { parameter.reparameterization = nil }
            }
        }
    }

    var state: ExtensionState {
        ExtensionState(
            arrays: ["scores": scores, "masks": leaves.flatMap { $0.value.array }], values: ["on": .bool(isOn)])
    }

    func restore(_ state: ExtensionState) throws {
        guard let scores = state.arrays["scores"], let masks = state.arrays["masks"],
            [scores, masks].allSatisfy({ $0.count == space.count })
        else { throw PrunerStateError(method: Movement.card.name, reason: "its scores are damaged") }
        self.scores = scores
        for (leaf, range) in zip(leaves, space.ranges) {
            leaf.value.assign(Tensor(Array(masks[range]), shape: leaf.shape))
        }
        if state.values["on"] == .bool(false) { detach() }
    }
}
