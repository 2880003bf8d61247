import Pruning

/// L0 regularisation: gates of channels or single weights, with a hard-concrete distribution, learn beside the weights
/// which to leave open, at a price for every open one.
///
///     loss + λ·Σ_k p_k·P(z_k ≠ 0)        p_k: what gate k's channel costs, all together 1        (`HardConcrete`)
///
/// After the soft share of the steps the gates of the highest ln α within the budget stay.
///
/// Based on: Louizos, Welling & Kingma, "Learning Sparse Neural Networks through L0 Regularization", ICLR 2018,
/// arXiv 1712.01312.
///
/// Differs from the paper: gates multiply a trained network and start nearly open; a gate's price is
/// what it costs; the budget decides how many stay, by the rank of ln α, instead of the sign of the noiseless gate.
public struct L0: MaskLearner {
    public struct Configuration: LogitConfiguration {
        /// λ.
        public var penalty = 0.05
        /// Of the gates' own Adam.
        public var learningRate = 0.05
        /// ln α before training; 2 is a noiseless gate of 0.96.
        public var initial = 2.0

        public init() {}

        public func validate() throws { try validateLogits() }
    }

    public static let card = MethodCard(
        name: "l0", family: "learned", summary: "learns hard-concrete gates under a price for open ones",
        granularities: [.channel, .block, .head, .aligned, .regular, .level, .layer, .weight], needsTraining: true,
        paper: "Louizos, Welling & Kingma, 2018, arXiv 1712.01312")

    public let configuration: Configuration
    private let seed: UInt64
    var learning: LearnedMasks?

    public init(_ configuration: Configuration, seed: UInt64) {
        self.configuration = configuration
        self.seed = seed
    }

    func makeLearning(in context: PruningContext) -> LearnedMasks {
        LearnedMasks(HardConcrete.Distribution(), in: context, configuration, seed: seed)
    }
}
