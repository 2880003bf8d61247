import Files
import Layers
import Pruning
import TensorCore
import Training

/// Network slimming: the scales of normalisations are trained under a price on their sizes, then the channels of the
/// smallest scales leave.
///
///     ∂L/∂γ ← ∂L/∂γ + s·sign(γ)        score_k = mean of |γ_k| over the normalisations that see channel k
///
/// After the soft share of the steps the lowest leave, all groups ranked together.
///
/// Based on: Liu et al., "Learning Efficient Convolutional Networks through Network Slimming", ICCV 2017,
/// arXiv 1708.06519.
///
/// Differs from the paper: γ is group normalisation's, whose moments change when a channel leaves; an axis may be seen
/// by several normalisations; the network is trained already, so that s acts for the soft steps alone. Channels that
/// no normalisation sees count as an average one.
public struct ScalingFactors: MaskLearner {
    public struct Configuration: PrunerConfiguration {
        /// s.
        public var penalty = 1e-3

        public init() {}

        public func validate() throws {
            try require(penalty >= 0 && penalty.isFinite, "penalty", got: penalty, expected: "at least 0")
        }
    }

    public static let card = MethodCard(
        name: "scaling-factors", family: "activation",
        summary: "trains normalisations' scales under a price and removes the channels of the smallest",
        granularities: [.channel, .block, .head, .aligned, .regular, .level, .layer], needsTraining: true,
        paper: "Liu et al., 2017, arXiv 1708.06519")

    public let configuration: Configuration
    var learning: ScalePrices?

    public init(_ configuration: Configuration, seed: UInt64) { self.configuration = configuration }

    func makeLearning(in context: PruningContext) -> ScalePrices {
        ScalePrices(context.space, context.network.normalizations, penalty: configuration.penalty)
    }
}

/// Adds s·sign(γ) to the gradients of normalisations' scales.
final class ScalePrices: MaskLearning {
    let name = "scale-prices"
    let attachments = Attachments([])
    private let space: PruningSpace
    private let normalizations: [any ChannelNormalization]
    private let penalty: Float

    init(_ space: PruningSpace, _ normalizations: [any ChannelNormalization], penalty: Double) {
        self.space = space
        self.normalizations = normalizations
        self.penalty = Float(penalty)
    }

    func afterBackward(step: Int, optimizer: Optimizer) {
        guard isOn else { return }
        for scale in normalizations.map(\.gamma) {
            guard let index = optimizer.arena.index(of: scale) else { continue }
            let gradient = optimizer.arena.slice(optimizer.arena.gradients, index)
            let values = scale.variable.value
            for position in 0..<values.count where values.pointer[position] != 0 {
                gradient.pointer[position] += values.pointer[position] > 0 ? penalty : -penalty
            }
        }
    }

    /// The mean of |γ| over the normalisations that see a channel; the average of all channels where none does.
    var scores: [[Double]] {
        let found = space.groups.map { group -> [Double]? in
            var sums = [Double](repeating: 0, count: group.width)
            var count = 0
            for norm in normalizations {
                var offset = 0
                for axis in norm.axis.groups {
                    defer { offset += axis.width }
                    guard axis === group.axis else { continue }
                    count += 1
                    for channel in sums.indices {
                        sums[channel] += Double(abs(norm.gamma.variable.value.pointer[offset + channel]))
                    }
                }
            }
            return count > 0 ? sums.map { $0 / Double(count) } : nil
        }
        let all = found.compactMap { $0 }.joined()
        let mean = all.reduce(0, +) / Double(max(all.count, 1))
        return zip(space.groups, found).map { group, scores in
            scores ?? Array(repeating: mean, count: group.width)
        }
    }
}
