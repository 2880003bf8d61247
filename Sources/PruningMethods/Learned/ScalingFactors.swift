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
public struct ScalingFactors: Pruner {
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
    public static let needs: [any EvidenceKind.Type] = []

    public let configuration: Configuration
    private var prices: ScalePrices?

    public init(_ configuration: Configuration, seed: UInt64) { self.configuration = configuration }

    public func plan(_ timing: PlanTiming) -> PruningPlan {
        let soft = timing.softSteps
        return PruningPlan(
            [.train(steps: soft), .update(0)] + timing.closing + [.train(steps: timing.steps - soft)])
    }

    public mutating func extensions(in context: PruningContext) -> [any TrainingExtension] {
        let prices = self.prices ?? ScalePrices(context.network.normalizations, penalty: Float(configuration.penalty))
        self.prices = prices
        return [prices]
    }

    public mutating func update(
        _ masks: inout Masks, number: Int, in context: PruningContext
    ) throws -> MaskUpdateReport {
        prices?.isOn = false
        let old = masks
        masks = try context.selection.masks(
            keeping: Self.scores(context.space, context.network.normalizations), remaining: context.remaining)
        return context.report(from: old, to: masks)
    }

    static func scores(_ space: PruningSpace, _ normalizations: [GroupNorm]) -> Scores {
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
        return Scores(
            space,
            bySite: zip(space.groups, found).map { group, scores in
                scores ?? Array(repeating: mean, count: group.width)
            })
    }
}

/// Adds s·sign(γ) to the gradients of normalisations' scales.
final class ScalePrices: TrainingExtension {
    let name = "scale-prices"
    /// Off once the channels are chosen.
    var isOn = true
    private let scales: [Parameter]
    private let penalty: Float

    init(_ normalizations: [GroupNorm], penalty: Float) {
        scales = normalizations.map(\.gamma)
        self.penalty = penalty
    }

    var state: ExtensionState { ExtensionState(values: ["on": .bool(isOn)]) }

    func restore(_ state: ExtensionState) throws { isOn = state.values["on"] != .bool(false) }

    func afterBackward(step: Int, optimizer: Optimizer) {
        guard isOn else { return }
        for scale in scales {
            guard let index = optimizer.arena.index(of: scale) else { continue }
            let gradient = optimizer.arena.slice(optimizer.arena.gradients, index)
            let values = scale.variable.value
            for position in 0..<values.count where values.pointer[position] != 0 {
                gradient.pointer[position] += values.pointer[position] > 0 ? penalty : -penalty
            }
        }
    }
}
