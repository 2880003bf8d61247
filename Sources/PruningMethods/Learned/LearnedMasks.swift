import Files
import Layers
import Pruning
import TensorCore
import Training

/// Masks of every site of a space, learned beside the weights through their logits.
final class LearnedMasks: MaskLearning {
    var name: String { distribution.name }
    let parameterGroups: [ParameterGroup]
    private let distribution: any MaskDistribution
    private let sites: [Site]
    /// What each coordinate of a site costs, all together 1.
    private let costs: [Float]
    private let penalty: Float
    private let seed: UInt64
    private let softSteps: Int
    let attachments: Attachments

    /// One site's masks: the logits, and the noise of the present step.
    final class Site: Gating, Reparameterization {
        let logits: Parameter
        private let distribution: any MaskDistribution
        fileprivate var uniform: [Float] = []
        fileprivate var progress = 0.0

        init(_ name: String, shape: [Int], _ distribution: any MaskDistribution, initial: Double) {
            self.distribution = distribution
            logits = Parameter("gates.\(name)", shape: shape, filledWith: initial)
        }

        /// Made anew from the logits at every call, so that gradients find them inside of checkpointed blocks too.
        var gate: Variable {
            uniform.isEmpty && distribution.isRandom
                ? distribution.expectedMask(logits.variable, progress: progress)
                : distribution.mask(logits.variable, uniform: uniform, progress: progress)
        }

        func materialize(_ base: Variable) -> Variable { base.multiplied(by: gate) }
    }

    /// - Parameter distribution: how masks follow from logits.
    init(
        _ distribution: any MaskDistribution, in context: PruningContext, _ configuration: some LogitConfiguration,
        seed: UInt64
    ) {
        self.distribution = distribution
        sites = zip(context.space.sites, context.space.shapes).map { site, shape in
            Site(site.name, shape: shape, distribution, initial: configuration.initial)
        }
        costs = context.coordinateCosts
        penalty = Float(configuration.penalty)
        self.seed = seed
        softSteps = context.timing.softSteps
        parameterGroups = [
            ParameterGroup("logits", parameters: sites.map(\.logits), learningRate: configuration.learningRate)
        ]
        attachments = Attachments(zip(sites, context.space.sites).map { .init($0, to: $1) })
    }

    func prepare(step: Int) {
        guard isOn else { return }
        let progress = Double(step) / Double(max(softSteps, 1))
        for (index, each) in sites.enumerated() {
            each.progress = min(progress, 1)
            guard distribution.isRandom else { continue }
            var stream = RandomStream(
                seed: seed, purpose: .mask, index: UInt64(step) * UInt64(sites.count) + UInt64(index))
            each.uniform = (0..<each.logits.count).map { _ in
                Float(min(max(stream.uniform(), 1e-6), 1 - 1e-6))
            }
        }
    }

    /// λ·Σ_k p_k·openness_k: the expected cost of what is open, relative to the whole.
    func regularizer(step: Int) -> Variable? {
        guard isOn else { return nil }
        return zip(sites, costs).map { each, cost in
            distribution.openness(each.logits.variable).summed(over: .all).scaled(by: penalty * cost)
        }.total
    }

    /// The logits of every coordinate.
    var scores: [[Double]] { sites.map { $0.logits.variable.value.array.map(Double.init) } }
}

/// Settings of masks that are learned by their logits.
protocol LogitConfiguration: PrunerConfiguration {
    /// The weight in the loss of the expected cost of what is open.
    var penalty: Double { get }
    /// Of the logits' own Adam.
    var learningRate: Double { get }
    /// Logits before training.
    var initial: Double { get }
}

extension LogitConfiguration {
    func validateLogits() throws {
        try require(penalty > 0 && penalty.isFinite, "penalty", got: penalty, expected: "above 0")
        try requireLearningRate(learningRate)
        try require((-20...20).contains(initial), "initial", got: initial, expected: "-20...20")
    }
}
