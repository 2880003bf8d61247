import Files
import Foundation
import Layers
import Pruning
import TensorCore

/// Dynamic network surgery: small weights are cut and come back when training makes them large again, for all weights
/// go on training, those that are cut as well.
///
///     t_l = max(μ_l + c·σ_l, 0)   of |w| in layer l, at the beginning
///     m ← 0 where |w| ≤ 0.9·t_l,   m ← 1 where |w| > 1.1·t_l,   m stays between     with probability (1 + γ·step)^−p
///     ∂L/∂w = ∂L/∂(m ⊙ w)   for every w (straight-through)
///
/// c is one for all layers, and such that the share of the weights above their t_l is what may be left. After the soft
/// share of the steps the largest |w|/t_l within the budget stay, for good.
///
/// Based on: Guo, Yao & Chen, "Dynamic Network Surgery for Efficient DNNs", NeurIPS 2016, arXiv 1608.04493; constants
/// 0.9 and 1.1 of its released code.
///
/// Differs from the paper: c follows from the target; masks are final after the soft steps, within the budget to one
/// weight.
public struct NetworkSurgery: MaskLearner {
    public struct Configuration: PrunerConfiguration {
        /// γ of the probability of an update.
        public var decay = 1e-3
        /// p of the probability of an update.
        public var power = 1.0

        public init() {}

        public func validate() throws {
            try require(decay >= 0 && decay.isFinite, "decay", got: decay, expected: "at least 0")
            try require((0...10).contains(power), "power", got: power, expected: "0...10")
        }
    }

    public static let card = MethodCard(
        name: "network-surgery", family: "dynamic",
        summary: "cuts small weights and splices them back when training makes them large",
        granularities: [.weight], needsTraining: true, paper: "Guo, Yao & Chen, 2016, arXiv 1608.04493")

    public let configuration: Configuration
    private let seed: UInt64
    var learning: SurgeryMasks?

    public init(_ configuration: Configuration, seed: UInt64) {
        self.configuration = configuration
        self.seed = seed
    }

    func makeLearning(in context: PruningContext) -> SurgeryMasks {
        SurgeryMasks(context.space, remaining: context.remaining, configuration, seed: seed)
    }
}

/// Masks with hysteresis on every weight, under which all weights train.
final class SurgeryMasks: MaskLearning {
    let name = "surgery"
    private let configuration: NetworkSurgery.Configuration
    private let seed: UInt64
    private let layers: [Layer]
    let attachments: Attachments

    /// One layer's.
    private final class Layer: Reparameterization {
        let parameter: Parameter
        var threshold: Float
        var mask: [Float]

        init(_ parameter: Parameter, threshold: Double) {
            self.parameter = parameter
            self.threshold = Float(threshold)
            mask = Array(repeating: 1, count: parameter.count)
            decide()
        }

        func materialize(_ base: Variable) -> Variable {
            base.straightThrough(value: Tensor(zip(base.value.array, mask).map(*), shape: base.shape))
        }

        func decide() {
            for (index, value) in parameter.variable.value.array.enumerated() {
                if abs(value) <= 0.9 * threshold { mask[index] = 0 }
                if abs(value) > 1.1 * threshold { mask[index] = 1 }
            }
        }
    }

    init(_ space: PruningSpace, remaining: Double, _ configuration: NetworkSurgery.Configuration, seed: UInt64) {
        self.configuration = configuration
        self.seed = seed
        let sizes = space.parameters.map { $0.variable.value.array.map { Double(abs($0)) } }
        let thresholds = Self.thresholds(of: sizes, remaining: remaining)
        layers = zip(space.parameters, thresholds).map { Layer($0, threshold: $1) }
        attachments = Attachments(layers.map { .reparameterization($0, of: $0.parameter) })
    }

    /// t of each layer: μ + c·σ of its sizes, with the c at which that share of all sizes is above.
    static func thresholds(of sizes: [[Double]], remaining: Double) -> [Double] {
        let moments = sizes.map { values -> (mean: Double, deviation: Double) in
            let count = Double(max(values.count, 1))
            let mean = values.reduce(0, +) / count
            return (mean, (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count).squareRoot())
        }
        let total = sizes.reduce(0) { $0 + $1.count }
        func thresholds(_ c: Double) -> [Double] { moments.map { max($0.mean + c * $0.deviation, 0) } }
        func share(_ c: Double) -> Double {
            let above = zip(sizes, thresholds(c)).reduce(0) { sum, layer in
                sum + layer.0.count { $0 > layer.1 }
            }
            return Double(above) / Double(max(total, 1))
        }
        var (low, high) = (-10.0, 30.0)
        for _ in 0..<40 {
            let middle = 0.5 * (low + high)
            if share(middle) > remaining { low = middle } else { high = middle }
        }
        return thresholds(high)
    }

    func prepare(step: Int) {
        guard isOn, step > 0 else { return }
        var stream = RandomStream(seed: seed, purpose: .mask, index: UInt64(step))
        guard stream.uniform() < pow(1 + configuration.decay * Double(step), -configuration.power) else { return }
        for layer in layers { layer.decide() }
    }

    /// |w|/t of every weight.
    var scores: [[Double]] {
        layers.map { layer in
            let scale = 1 / Double(max(layer.threshold, .leastNormalMagnitude))
            return layer.parameter.variable.value.array.map { Double(abs($0)) * scale }
        }
    }

    var arrays: [String: [Float]] {
        ["masks": layers.flatMap(\.mask), "thresholds": layers.map(\.threshold)]
    }

    func restore(_ arrays: [String: [Float]]) throws {
        guard let masks = arrays["masks"], let thresholds = arrays["thresholds"],
            masks.count == layers.reduce(0, { $0 + $1.mask.count }), thresholds.count == layers.count
        else { throw PrunerStateError(method: NetworkSurgery.card.name, reason: "its masks are damaged") }
        var start = 0
        for (layer, threshold) in zip(layers, thresholds) {
            layer.threshold = threshold
            layer.mask = Array(masks[start..<(start + layer.mask.count)])
            start += layer.mask.count
        }
    }
}
