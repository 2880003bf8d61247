import Files
import Pruning
import TensorCore
import Training

/// Soft movement pruning: scores learn by what a mask that follows them does to the loss, under a price on high ones;
/// whatever is below a threshold is off.
///
///     m = [σ(S) > τ]   forward,   ∂L/∂S = ∂L/∂m   times σ′(S)   backward (straight-through)
///     loss + λ·Σ_k p_k·σ(S_k)        p_k: what k costs, all together 1 (of single weights: λ·mean σ(S))
///
/// ∂L/∂m of a weight is w·∂L/∂w′: scores fall of weights that move towards zero. After the soft share of the steps the
/// highest scores within the budget stay.
///
/// Based on: Sanh, Wolf & Rush, "Movement Pruning: Adaptive Sparsity by Fine-Tuning", NeurIPS 2020, arXiv 2005.07683
/// (its soft form).
///
/// Differs from the paper: gradients of scores include σ′; channels too, by their gates; the budget decides how many
/// stay.
public struct SoftMovement: Pruner {
    public struct Configuration: PrunerConfiguration {
        /// λ.
        public var penalty = 0.05
        /// Of the scores' own Adam.
        public var learningRate = 0.05
        /// S before training.
        public var initial = 2.0
        /// τ.
        public var threshold = 0.5

        public init() {}

        public func validate() throws {
            try require(penalty > 0 && penalty.isFinite, "penalty", got: penalty, expected: "above 0")
            try require(
                learningRate > 0 && learningRate <= 10, "learning_rate", got: learningRate, expected: "in (0, 10]")
            try require((-20...20).contains(initial), "initial", got: initial, expected: "-20...20")
            try require(threshold > 0 && threshold < 1, "threshold", got: threshold, expected: "in (0, 1)")
        }
    }

    public static let card = MethodCard(
        name: "soft-movement", family: "gradient",
        summary: "learns scores by what masks that follow them do to the loss, under a price",
        granularities: [.weight, .channel, .block, .head, .aligned, .regular, .level, .layer], needsTraining: true,
        paper: "Sanh, Wolf & Rush, 2020, arXiv 2005.07683")
    public static let needs: [any EvidenceKind.Type] = []

    public let configuration: Configuration
    private let seed: UInt64
    private var learning = MaskLearning()

    public init(_ configuration: Configuration, seed: UInt64) {
        self.configuration = configuration
        self.seed = seed
    }

    public func plan(_ timing: PlanTiming) -> PruningPlan { MaskLearning.plan(timing) }

    public mutating func extensions(in context: PruningContext) -> [any TrainingExtension] {
        let (configuration, seed) = (configuration, seed)
        return learning.extensions {
            LearnedMasks(
                ThresholdedSigmoid(threshold: Float(configuration.threshold)), in: context,
                initial: configuration.initial, penalty: configuration.penalty,
                learningRate: configuration.learningRate, seed: seed)
        }
    }

    public mutating func update(
        _ masks: inout Masks, number: Int, in context: PruningContext
    ) throws -> MaskUpdateReport {
        _ = extensions(in: context)
        return try learning.update(&masks, in: context)
    }
}

/// On where σ(S) is above a threshold.
private struct ThresholdedSigmoid: MaskDistribution {
    let threshold: Float

    var name: String { "soft-movement" }
    var isRandom: Bool { false }

    func mask(_ logits: Variable, uniform: [Float], progress: Double) -> Variable {
        BinaryConcrete.chosen(logits.applying(.sigmoid), above: threshold)
    }

    func expectedMask(_ logits: Variable, progress: Double) -> Variable {
        mask(logits, uniform: [], progress: progress)
    }

    func openness(_ logits: Variable) -> Variable { logits.applying(.sigmoid) }
}
