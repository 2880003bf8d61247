import Files
import Foundation
import Pruning
import TensorCore

/// Gumbel-Softmax masks: each gate draws between on and off, by a softmax whose temperature falls until the draw is
/// nearly a choice.
///
///     y = softmax((ln π + G)/τ)_on = σ((l + ln u − ln(1 − u))/τ)      l = ln π_on − ln π_off,  u ~ U(0, 1)
///     z = 1 if y > ½ else 0   forward,   dz = dy   backward (straight-through)
///     τ(p) = τ₀·(τ₁/τ₀)^p      p: how much of the soft steps is done
///     loss + λ·Σ_k p_k·σ(l_k)        p_k: what gate k's channel costs, all together 1
///
/// since the difference of two Gumbel variables is logistic. After the soft share of the steps the gates of the
/// highest l within the budget stay.
///
/// Based on: Jang, Gu & Poole, "Categorical Reparameterization with Gumbel-Softmax", ICLR 2017, arXiv 1611.01144;
/// the price on open gates is that of Herrmann, Bowen & Zabih, "Channel Selection Using Gumbel Softmax", ECCV 2020,
/// arXiv 1812.04180.
///
/// Differs from the paper: gates multiply a trained network and start nearly open; the budget decides how many stay.
public struct GumbelSoftmax: MaskLearner {
    public struct Configuration: LogitConfiguration {
        /// λ.
        public var penalty = 0.05
        /// Of the gates' own Adam.
        public var learningRate = 0.05
        /// l before training.
        public var initial = 3.0
        /// τ₀.
        public var firstTemperature = 1.0
        /// τ₁.
        public var lastTemperature = 0.1

        public init() {}

        public func validate() throws {
            try validateLogits()
            for (key, value) in [("first_temperature", firstTemperature), ("last_temperature", lastTemperature)] {
                try require((0.01...100).contains(value), key, got: value, expected: "0.01...100")
            }
        }
    }

    public static let card = MethodCard(
        name: "gumbel-softmax", family: "learned",
        summary: "learns gates that draw between on and off, at a temperature that falls",
        granularities: [.channel, .block, .head, .aligned, .regular, .level, .layer, .weight], needsTraining: true,
        paper: "Jang, Gu & Poole, 2017, arXiv 1611.01144")

    public let configuration: Configuration
    private let seed: UInt64
    var learning: LearnedMasks?

    public init(_ configuration: Configuration, seed: UInt64) {
        self.configuration = configuration
        self.seed = seed
    }

    func makeLearning(in context: PruningContext) -> LearnedMasks {
        LearnedMasks(
            BinaryConcrete(first: configuration.firstTemperature, last: configuration.lastTemperature), in: context,
            configuration, seed: seed)
    }
}

/// The two-class case of the Gumbel-Softmax distribution, made a choice in the forward pass.
struct BinaryConcrete: MaskDistribution {
    let first: Double
    let last: Double

    var name: String { "gumbel-softmax" }
    var isRandom: Bool { true }

    /// τ.
    func temperature(_ progress: Double) -> Double { first * pow(last / first, min(max(progress, 0), 1)) }

    /// y: between off and on.
    func relaxed(_ logits: Variable, uniform: [Float], progress: Double) -> Variable {
        let noise = uniform.map { Foundation.log($0) - Foundation.log(1 - $0) }
        let sum = logits + Variable(Tensor(noise, shape: logits.shape))
        return sum.scaled(by: Float(1 / temperature(progress))).applying(.sigmoid)
    }

    func mask(_ logits: Variable, uniform: [Float], progress: Double) -> Variable {
        Self.chosen(relaxed(logits, uniform: uniform, progress: progress), above: 0.5)
    }

    func expectedMask(_ logits: Variable, progress: Double) -> Variable {
        Self.chosen(logits.applying(.sigmoid), above: 0.5)
    }

    func openness(_ logits: Variable) -> Variable { logits.applying(.sigmoid) }

    /// 1 above a threshold, else 0; its derivative is that of `value`.
    static func chosen(_ value: Variable, above threshold: Float) -> Variable {
        value.straightThrough(value: Tensor(value.value.array.map { $0 > threshold ? 1 : 0 }, shape: value.shape))
    }
}
