import Layers
import Pruning
import TensorCore
import Training

/// Masks of every site of a space, learned beside the weights through their logits.
final class LearnedMasks: TrainingExtension {
    var name: String { distribution.name }
    let parameterGroups: [ParameterGroup]
    private let distribution: any MaskDistribution
    private let sites: [Site]
    /// What each coordinate of a site costs, all together 1.
    private let costs: [Float]
    private let penalty: Float
    private let seed: UInt64
    private let softSteps: Int
    /// Off once they are decided.
    private var isOn = true

    /// One site's masks: the logits, and the noise of the present step.
    final class Site: Gating, Reparameterization {
        fileprivate let site: PruningSpace.Site
        let logits: Parameter
        private let distribution: any MaskDistribution
        fileprivate var uniform: [Float] = []
        fileprivate var progress = 0.0

        init(_ site: PruningSpace.Site, _ distribution: any MaskDistribution, initial: Float) {
            self.site = site
            self.distribution = distribution
            let shape: [Int] =
                switch site {
                case .axis(let group): [group.width]
                case .weight(let parameter, _): parameter.variable.shape
                }
            logits = Parameter(
                "gates.\(site.name)", layout: .plain, axes: shape.map { _ in nil }, shape: shape,
                initialization: .zeros)
            logits.variable.value.fill(initial)
        }

        /// Made anew from the logits at every call, so that gradients find them inside of checkpointed blocks too.
        var gate: Variable {
            uniform.isEmpty && distribution.isRandom
                ? distribution.expectedMask(logits.variable, progress: progress)
                : distribution.mask(logits.variable, uniform: uniform, progress: progress)
        }

        func materialize(_ base: Variable) -> Variable { base.multiplied(by: gate) }
    }

    /// - Parameters:
    ///   - distribution: how masks follow from logits.
    ///   - initial: logits before training.
    ///   - penalty: the weight of the expected cost in the loss.
    init(
        _ distribution: any MaskDistribution, in context: PruningContext, initial: Double, penalty: Double,
        learningRate: Double, seed: UInt64
    ) {
        self.distribution = distribution
        sites = context.space.sites.map { Site($0, distribution, initial: Float(initial)) }
        let marginal = context.selection.marginalDensities(of: Masks(context.space))
        let total = zip(marginal, context.space.widths).reduce(0) { $0 + $1.0 * Double($1.1) }
        costs = marginal.map { Float($0 / max(total, .leastNormalMagnitude)) }
        self.penalty = Float(penalty)
        self.seed = seed
        softSteps = context.timing.softSteps
        parameterGroups = [
            ParameterGroup("logits", parameters: sites.map(\.logits), learningRate: learningRate)
        ]
        for each in sites {
            switch each.site {
            case .axis(let group): group.axis.gating = each
            case .weight(let parameter, _): parameter.reparameterization = each
            }
        }
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
        let terms = zip(sites, costs).map { each, cost in
            distribution.openness(each.logits.variable).summed(over: .all).scaled(by: penalty * cost)
        }
        return terms.dropFirst().reduce(terms.first) { sum, term in sum.map { $0 + term } }
    }

    /// The logits of every coordinate.
    var logits: [[Double]] { sites.map { $0.logits.variable.value.array.map(Double.init) } }

    var state: ExtensionState { ExtensionState(values: ["on": .bool(isOn)]) }

    func restore(_ state: ExtensionState) throws {
        if state.values["on"] == .bool(false) { detach() }
    }

    /// Takes the masks off the network.
    func detach() {
        isOn = false
        for each in sites {
            switch each.site {
            case .axis(let group): if group.axis.gating === each { group.axis.gating = nil }
            case .weight(let parameter, _):
                if parameter.reparameterization === each { parameter.reparameterization = nil }
            }
        }
    }
}

/// A method that learns masks by their logits for the soft share of the steps, then keeps the highest within the
/// budget.
struct MaskLearning {
    private var masks: LearnedMasks?

    static func plan(_ timing: PlanTiming) -> PruningPlan {
        let soft = timing.softSteps
        return PruningPlan(
            [.train(steps: soft), .update(0)] + timing.closing + [.train(steps: timing.steps - soft)] + timing.ending)
    }

    /// The same object at every call.
    mutating func extensions(_ make: () -> LearnedMasks) -> [any TrainingExtension] {
        let masks = self.masks ?? make()
        self.masks = masks
        return [masks]
    }

    func update(_ masks: inout Masks, in context: PruningContext) throws -> MaskUpdateReport {
        self.masks?.detach()
        let old = masks
        masks = try context.selection.masks(
            keeping: Scores(context.space, bySite: self.masks?.logits ?? []), remaining: context.remaining)
        return context.report(from: old, to: masks)
    }
}
