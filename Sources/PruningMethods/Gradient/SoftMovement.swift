import Files
import Pruning
import TensorCore

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
public struct SoftMovement: MaskLearner {
    public struct Configuration: LogitConfiguration {
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
            try validateLogits()
            try require(threshold > 0 && threshold < 1, "threshold", got: threshold, expected: "in (0, 1)")
        }
    }

    public static let card = MethodCard(
        name: "soft-movement", family: "gradient",
        summary: "learns scores by what masks that follow them do to the loss, under a price",
        granularities: [.weight, .channel, .block, .head, .aligned, .regular, .level, .layer], needsTraining: true,
        paper: "Sanh, Wolf & Rush, 2020, arXiv 2005.07683")

    public let configuration: Configuration
    private let seed: UInt64
    var learning: LearnedMasks?

    public init(_ configuration: Configuration, seed: UInt64) {
        self.configuration = configuration
        self.seed = seed
    }

    func makeLearning(in context: PruningContext) -> LearnedMasks {
        LearnedMasks(
            ThresholdedSigmoid(threshold: Float(configuration.threshold)), in: context,
            configuration, seed: seed)
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
