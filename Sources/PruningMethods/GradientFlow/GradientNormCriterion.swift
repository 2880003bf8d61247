import Pruning
import TensorCore

/// The gradient-norm criterion of the gradient flow, as a plain score: removes the channels whose removal raises the
/// gradient norm most.
///
///     score_k = −∂E/∂m_k = Σ_w g_w · ∂g_w/∂m_k        E(m) = −½‖∂L/∂w‖²
///
/// by an exact Hessian–vector product. For weights it is GraSP's score with the sign turned, S = −θ ⊙ (H·g): a large S
/// means that removal raises ‖g‖, and the largest S leave first.
///
/// Based on: Wang, Zhang & Grosse, "Picking Winning Tickets Before Training by Preserving Gradient Flow", ICLR 2020,
/// arXiv 2002.07376; "Pruning for Sparse Diffusion Models Based on Gradient Flow", ICASSP 2025, arXiv 2501.09464.
///
/// Differs from the paper: the derivative is taken with respect to a channel's gate, exactly, instead of summing GraSP's
/// elementwise scores. Where no normalisation follows, score_k = ‖g_k‖² − Σ S_i over the weights that make channel k: the
/// gate scales their gradient too, which weights alone do not show. 2501.09464 is open to us by its abstract only.
public struct GradientNormCriterion {
    public static let needs: Evidence = [.weights, .gradients, .curvature]

    func scores(masks: MaskSet, from evidence: EvidenceCollector) throws -> [[Double]] {
        try evidence.curvature(masks: masks).velocity
    }
}

/// `one-shot`: the gradient-norm criterion applied once, at the dense model. The control for the flow.
public struct OneShot: Pruner {
    public static let card = MethodCard(
        name: "one-shot", family: "gradient-flow",
        summary: "the gradient-flow criterion applied once, with hard masks",
        paper: "Wang, Zhang & Grosse, 2020, arXiv 2002.07376")
    public static let needs = GradientNormCriterion.needs
    public let configuration: NoConfiguration
    public var state = NoConfiguration()

    public init(_ configuration: NoConfiguration, seed: UInt64) { self.configuration = configuration }

    public var updates: Int { 1 }

    public mutating func update(
        _ masks: inout MaskSet, index: Int, in context: PruningContext
    ) throws -> MaskUpdateReport {
        try removeByGradientNorm(&masks, density: context.remaining, in: context)
    }
}

/// `vanilla-iterative`: the gradient-norm criterion in rounds with hard masks and fine-tuning between; what left stays
/// away. The second control for the flow.
public struct VanillaIterative: Pruner {
    public struct Configuration: PrunerConfiguration {
        public var rounds = 8
        public var schedule = MaskSchedule.cubic
        public init() {}
        public func validate() throws {
            guard (1...10_000).contains(rounds) else {
                throw PrunerConfigurationError(key: "rounds", got: rounds, expected: "1...10000")
            }
        }
    }

    public static let card = MethodCard(
        name: "vanilla-iterative", family: "gradient-flow",
        summary: "the gradient-flow criterion in rounds, with hard masks and fine-tuning between",
        paper: "Wang, Zhang & Grosse, 2020, arXiv 2002.07376")
    public static let needs = GradientNormCriterion.needs
    public let configuration: Configuration
    public var state = NoConfiguration()

    public init(_ configuration: Configuration, seed: UInt64) { self.configuration = configuration }

    public var updates: Int { configuration.rounds }

    public mutating func update(
        _ masks: inout MaskSet, index: Int, in context: PruningContext
    ) throws -> MaskUpdateReport {
        let progress = Double(index + 1) / Double(updates)
        let density = configuration.schedule.density(at: progress, final: context.remaining)
        return try removeByGradientNorm(&masks, density: density, in: context)
    }
}

extension Pruner {
    /// Removes what the criterion ranks lowest among the channels still there.
    fileprivate func removeByGradientNorm(
        _ masks: inout MaskSet, density: Double, in context: PruningContext
    ) throws -> MaskUpdateReport {
        let curvature = try context.evidence.curvature(masks: masks)
        var scores = curvature.velocity
        for (group, mask) in masks.values.enumerated() {
            for (channel, value) in mask.enumerated() where value == 0 { scores[group][channel] = -.infinity }
        }
        let old = masks
        masks = try context.selection.masks(keeping: scores, remaining: density, perCost: true)
        return context.report(from: old, to: masks, energy: curvature.energy, loss: curvature.gradient.loss)
    }
}
