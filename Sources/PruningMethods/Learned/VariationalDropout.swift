import Files
import Layers
import Pruning
import TensorCore
import Training

/// Variational dropout: every weight has a noise of its own, learned beside it under a prior that wants it large; what
/// can bear much noise for its size says nothing, and leaves.
///
///     w′ = w + σ·ε,  ε ~ N(0, 1)        ln α = ln σ² − ln w²,  in KL clipped to ±8
///     loss + λ·mean KL,   KL ≈ −k₁·σ(k₂ + k₃·ln α) + ½·ln(1 + 1/α) + k₁,   k = 0.63576, 1.87320, 1.48695
///
/// After the soft share of the steps the weights of the lowest ln α within the budget stay (the paper's own threshold
/// is ln α = 3).
///
/// Based on: Molchanov, Ashukha & Vetrov, "Variational Dropout Sparsifies Deep Neural Networks", ICML 2017,
/// arXiv 1701.05369; the constants are theirs.
///
/// Differs from the paper: noise is drawn for weights and not for what layers put out; KL counts relative to the
/// number of weights; the network is trained already; the budget decides how many stay.
public struct VariationalDropout: MaskLearner {
    public struct Configuration: PrunerConfiguration {
        /// λ.
        public var penalty = 0.01
        /// Of the ln σ²'s own Adam.
        public var learningRate = 0.05
        /// ln σ² before training.
        public var initial = -10.0

        public init() {}

        public func validate() throws {
            try require(penalty >= 0 && penalty.isFinite, "penalty", got: penalty, expected: "at least 0")
            try requireLearningRate(learningRate)
            try require((-30...5).contains(initial), "initial", got: initial, expected: "-30...5")
        }
    }

    public static let card = MethodCard(
        name: "variational-dropout", family: "learned", summary: "removes the weights that can bear the most noise",
        granularities: [.weight], needsTraining: true,
        paper: "Molchanov, Ashukha & Vetrov, 2017, arXiv 1701.05369")

    public let configuration: Configuration
    private let seed: UInt64
    var learning: WeightNoise?

    public init(_ configuration: Configuration, seed: UInt64) {
        self.configuration = configuration
        self.seed = seed
    }

    func makeLearning(in context: PruningContext) -> WeightNoise {
        WeightNoise(context.space, configuration, seed: seed)
    }
}

/// Learned noise on every weight.
final class WeightNoise: MaskLearning {
    let name = "weight-noise"
    let parameterGroups: [ParameterGroup]
    private let layers: [Layer]
    private let penalty: Float
    private let seed: UInt64
    let attachments: Attachments

    /// One layer's.
    private final class Layer: Reparameterization {
        let parameter: Parameter
        /// ln σ².
        let logVariance: Parameter
        var epsilon: Tensor?

        init(_ parameter: Parameter, initial: Double) {
            self.parameter = parameter
            logVariance = Parameter(
                "noise.\(parameter.name)", shape: parameter.variable.shape, filledWith: initial)
        }

        func materialize(_ base: Variable) -> Variable {
            guard let epsilon else { return base }
            return base
                + logVariance.variable.scaled(by: 0.5).applying(.exponential).multiplied(by: Variable(epsilon))
        }

        /// ln α.
        var logAlpha: Variable {
            let size = parameter.variable.applying(.absoluteValue).adding(1e-8).applying(.logarithm)
            return logVariance.variable.combined(1, plus: size, times: -2)
        }
    }

    init(_ space: PruningSpace, _ configuration: VariationalDropout.Configuration, seed: UInt64) {
        layers = space.parameters.map { Layer($0, initial: configuration.initial) }
        penalty = Float(configuration.penalty / Double(max(space.count, 1)))
        self.seed = seed
        parameterGroups = [
            ParameterGroup(
                "noise", parameters: layers.map(\.logVariance), learningRate: configuration.learningRate)
        ]
        attachments = Attachments(layers.map { .reparameterization($0, of: $0.parameter) })
    }

    /// KL of every weight from its ln α, which counts within ±8.
    static func divergence(_ logAlpha: Variable) -> Variable {
        let logAlpha = logAlpha.applying(.clamp(low: -8, high: 8))
        let (k1, k2, k3): (Float, Float, Float) = (0.63576, 1.87320, 1.48695)
        let slope = logAlpha.scaled(by: k3).adding(k2).applying(.sigmoid).scaled(by: -k1)
        return slope.combined(1, plus: logAlpha.scaled(by: -1).applying(.softplus), times: 0.5).adding(k1)
    }

    func prepare(step: Int) {
        guard isOn else { return }
        for (index, layer) in layers.enumerated() {
            var stream = RandomStream(
                seed: seed, purpose: .mask, index: UInt64(step) * UInt64(layers.count) + UInt64(index))
            let epsilon = Tensor(uninitialized: layer.parameter.variable.shape)
            stream.fillNormal(epsilon.unsafeBuffer)
            layer.epsilon = epsilon
        }
    }

    func regularizer(step: Int) -> Variable? {
        guard isOn else { return nil }
        return layers.map { Self.divergence($0.logAlpha).summed(over: .all).scaled(by: penalty) }.total
    }

    /// −ln α of every weight.
    var scores: [[Double]] {
        Autograd.withoutRecording { layers.map { $0.logAlpha.value.array.map { -Double($0) } } }
    }
}
