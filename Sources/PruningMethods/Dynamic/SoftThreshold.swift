import Files
import Layers
import Pruning
import TensorCore
import Training

/// Soft threshold reparameterisation: each layer learns a threshold, and its weights are shrunk by it; a decay of the
/// thresholds' parameters is what raises them.
///
///     w′ = sign(w)·relu(|w| − σ(s_l))        s_l learned by SGD under weight decay, from far below 0 towards 0
///
/// After the soft share of the steps the weights of the largest |w| − σ(s_l) within the budget stay.
///
/// Based on: Kusupati et al., "Soft Threshold Weight Reparameterization for Learnable Sparsity", ICML 2020,
/// arXiv 2002.03231.
///
/// Differs from the paper: the network is trained already, and thresholds rise in a few soft steps, for which decay and
/// learning rate of s are larger; the budget decides how many stay; those that do keep their stored values, from which
/// the threshold is no longer taken off.
public struct SoftThreshold: MaskLearner {
    public struct Configuration: PrunerConfiguration {
        /// s before training.
        public var initial = -8.0
        /// Of s.
        public var learningRate = 0.1
        /// Of s.
        public var weightDecay = 0.05

        public init() {}

        public func validate() throws {
            try require((-100...10).contains(initial), "initial", got: initial, expected: "-100...10")
            try requireLearningRate(learningRate)
            try require((0...1).contains(weightDecay), "weight_decay", got: weightDecay, expected: "0...1")
        }
    }

    public static let card = MethodCard(
        name: "soft-threshold", family: "dynamic", summary: "learns a threshold a layer by which weights are shrunk",
        granularities: [.weight], needsTraining: true, paper: "Kusupati et al., 2020, arXiv 2002.03231")

    public let configuration: Configuration
    var learning: SoftThresholds?

    public init(_ configuration: Configuration, seed: UInt64) { self.configuration = configuration }

    func makeLearning(in context: PruningContext) -> SoftThresholds { SoftThresholds(context.space, configuration) }
}

/// A learned threshold on every weight matrix.
final class SoftThresholds: MaskLearning {
    let name = "soft-thresholds"
    let parameterGroups: [ParameterGroup]
    private let layers: [Layer]
    let attachments: Attachments

    /// One layer's.
    private final class Layer: Reparameterization {
        let parameter: Parameter
        let s: Parameter

        init(_ parameter: Parameter, initial: Double) {
            self.parameter = parameter
            s = Parameter("thresholds.\(parameter.name)", shape: [1], filledWith: initial)
        }

        func materialize(_ base: Variable) -> Variable {
            let threshold = s.variable.applying(.sigmoid).reshaped([]).broadcast(to: base.shape)
            return base.applying(.absoluteValue).combined(1, plus: threshold, times: -1).activated(.relu)
                .multiplied(by: base.applying(.sign))
        }

        /// |w| − σ(s).
        var margins: [Double] {
            let threshold = Double(s.variable.applying(.sigmoid).value.scalar)
            return parameter.variable.value.array.map { Double(abs($0)) - threshold }
        }
    }

    init(_ space: PruningSpace, _ configuration: SoftThreshold.Configuration) {
        layers = space.parameters.map { Layer($0, initial: configuration.initial) }
        var optimizer = OptimizerConfiguration()
        optimizer.kind = .sgd
        optimizer.weightDecay = configuration.weightDecay
        parameterGroups = [
            ParameterGroup(
                "thresholds", parameters: layers.map(\.s), optimizer: optimizer,
                learningRate: configuration.learningRate)
        ]
        attachments = Attachments(layers.map { .reparameterization($0, of: $0.parameter) })
    }

    var scores: [[Double]] { layers.map(\.margins) }
}
