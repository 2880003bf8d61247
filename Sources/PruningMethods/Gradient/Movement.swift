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
public struct Movement: MaskLearner {
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

    public let configuration: Configuration
    var learning: MovementScores?

    public init(_ configuration: Configuration, seed: UInt64) { self.configuration = configuration }

    func makeLearning(in context: PruningContext) -> MovementScores { MovementScores(in: context, configuration) }
}

/// Adds up scores, and keeps the masks that follow from them on the network.
final class MovementScores: MaskLearning {
    let name = "movement"
    private let space: PruningSpace
    private let selection: Selection
    private let remaining: Double
    private let configuration: Movement.Configuration
    private let softSteps: Int
    /// The masks on the network, a leaf a site, whose gradients are what is added up.
    private let leaves: [Variable]
    let attachments: Attachments
    /// S of every coordinate.
    private var sums: [Float]

    init(in context: PruningContext, _ configuration: Movement.Configuration) {
        space = context.space
        selection = context.selection
        remaining = context.remaining
        self.configuration = configuration
        softSteps = context.timing.softSteps
        sums = Array(repeating: 0, count: context.space.count)
        leaves = context.space.shapes.map { shape in
            let values = Tensor(uninitialized: shape)
            values.fill(1)
            return Variable(values, requiresGradient: true)
        }
        attachments = Attachments(zip(leaves, space.sites).map { .init(LeafGate($0), to: $1) })
    }

    var scores: [[Double]] { space.ranges.map { sums[$0].map(Double.init) } }

    func prepare(step: Int) throws {
        guard isOn else { return }
        for leaf in leaves { leaf.clearGradients() }
        guard step > 0, step % configuration.every == 0 else { return }
        let progress = Double(step) / Double(max(softSteps, 1))
        let density = configuration.schedule.density(at: progress, final: remaining)
        guard density < 1 else { return }
        do {
            let masks = try selection.masks(keeping: Scores(space, bySite: scores), remaining: density)
            for (leaf, mask) in zip(leaves, masks.bySite) { leaf.value.assign(Tensor(mask, shape: leaf.shape)) }
        } catch is BudgetError {
            // The granularity cannot reach it yet: masks stay as they are. The last density has to be met.
        }
    }

    func afterBackward(step: Int, optimizer: Optimizer) {
        guard isOn else { return }
        for (leaf, range) in zip(leaves, space.ranges) {
            guard let gradient = leaf.gradient else { continue }
            for (index, value) in zip(range, gradient.array) { sums[index] -= value }
        }
    }

    var arrays: [String: [Float]] { ["scores": sums, "masks": leaves.flatMap { $0.value.array }] }

    func restore(_ arrays: [String: [Float]]) throws {
        guard let sums = arrays["scores"], let masks = arrays["masks"],
            [sums, masks].allSatisfy({ $0.count == space.count })
        else { throw PrunerStateError(method: Movement.card.name, reason: "its scores are damaged") }
        self.sums = sums
        for (leaf, range) in zip(leaves, space.ranges) {
            leaf.value.assign(Tensor(Array(masks[range]), shape: leaf.shape))
        }
    }
}
