import Files
import Pruning

/// Progressive soft pruning along the gradient flow of an energy: over rounds of fine-tuning.
///
///     E_η(m) = L − η‖∂L/∂w‖²        e_k = −∂E/∂m_k = −∂L/∂m_k + 2η·Σ_w g_w·∂g_w/∂m_k   (exact, see `EnergyCriterion`)
///
/// In rounds: the masks flow, the weights are fine-tuned under the soft masks, and the criterion is read again on what
/// they have become. A channel at m = 0 comes back where the energy says so. In the last round masks are exactly 0 and
/// 1.
///
/// The flow `frank-wolfe` has its fixed points where whole units (channels, heads, aligned widths) meet the budget:
///
///     T = argmax Σ_k |e_k|·T_k over T ∈ {0, 1} with cost(T) ≤ d·cost(1)        m ← m + s·(T − m)
///
/// by the greedy rule, per unit of cost at m; d falls round by round. It is the flow dm/dτ = T(m) − m of Frank and
/// Wolfe: what is linear in T is lowest at a corner of the set that the budget allows, and masks between corners are
/// mixtures of what was chosen so far.
///
/// The flow `continuous` goes the same way after every training step:
///
///     dm/dτ = T(m) − m        T by  p_k = (1 − a)·|e_k| + a·Σ_steps |∂L/∂m_k|
///
/// L the loss of those very steps, imitation included, and both terms brought to unit size; T is chosen anew every few
/// steps. Gates' gradients come with the backward pass. The Hessian's part of e, and what channels at m = 0 are worth,
/// are read in rounds. A single weight at m = 0 has a gradient in every step, and comes back in any of them.
///
/// The flow `sparse` follows energy and density at once:
///
///     δ = x·rank(|e|/p) + y·g  (SparseFlow: the density falls at unit rate, |δ||g| = r)      m ← clip(m + δ·dt, 0, 1)
///
/// A double-well drive, rising from zero, decides masks on the way. Once the density has arrived, the budget's choice T
/// among whole units by their masks is where the rounds left lead, m ← m + (T − m)/(rounds left): nothing is taken away
/// at once that the weights still rely on.
///
/// Based on: "Pruning for Sparse Diffusion Models Based on Gradient Flow", ICASSP 2025, arXiv 2501.09464; Wang, Zhang &
/// Grosse, ICLR 2020, arXiv 2002.07376 (the criterion); Frank & Wolfe, "An algorithm for quadratic programming", 1956,
/// and Jaggi, "Revisiting Frank-Wolfe", ICML 2013 (the flow to a choice); Mo et al., ICML 2023 (the flow in sparse
/// space).
///
/// Differs from the paper: only its abstract is public, so this is a reconstruction. The published criterion (energy
/// −½‖∇L‖², signed: remove what raises the gradient norm) is `energy: gradient-norm, reading: signed`; on our models it
/// lost to random removal (docs/RESULTS.md), so the defaults are the look-ahead energy, which holds the gradient norm
/// against the loss, read by size. Our own as well are the derivative with respect to gates, the metric of costs, the
/// averaging of velocities over rounds, and the way from soft masks to whole units; of `sparse` the rank scaling of
/// velocities and the double-well drive.
public struct GradientFlow: Pruner {
    public static let card = MethodCard(
        name: "gradient-flow", family: "gradient-flow",
        summary: "progressive soft masks that follow the gradient flow of an energy of loss and gradient norm, "
            + "weights fine-tuning meanwhile",
        paper: "2025, arXiv 2501.09464 (reconstruction)")
    public static let needs = EnergyCriterion.needs

    /// Masks nearer than this to where they go are there: what hardly counts any more need not be computed with.
    static var reach: Float { 0.1 }

    public let configuration: GradientFlowConfiguration
    /// Averaged velocities by coordinate; empty before the first round.
    var velocity: [Float] = []
    var energy: Double?
    var loss: Double?
    /// What shares a mask: the granularity's units by the first round's velocities.
    var members: UnitMembers?
    /// `continuous`: the sizes of the masks' gradients in training, since the last round; empty before the first step.
    var training: [Float] = []
    /// `continuous`: where masks are going, and the steps since the last round.
    var choice: [Float] = []
    var stepsOfRound = 0

    public init(_ configuration: GradientFlowConfiguration, seed: UInt64) { self.configuration = configuration }

    public func plan(_ timing: PlanTiming) -> PruningPlan { .updates(configuration.rounds, timing) }

    public func lossCount(
        of stage: PruningPlan.Stage, from calibration: any CalibrationSource, in space: PruningSpace
    ) -> Int {
        guard case .update(let number) = stage, number % configuration.evaluateEvery == 0 else { return 0 }
        return EnergyCriterion(configuration.criterion).lossCount(of: calibration)
    }

    public mutating func update(
        _ masks: inout Masks, number: Int, in context: PruningContext
    ) throws -> MaskUpdateReport {
        if context.space.kind == .weights {
            try require(
                configuration.blockSize == 1, "method.block_size", got: configuration.blockSize,
                expected: "1 for masks of single weights")
        }
        if number % configuration.evaluateEvery == 0 || velocity.isEmpty { try evaluate(masks, in: context) }
        let velocity = self.velocity.map(Double.init)
        members = members ?? context.selection.members(by: Scores(context.space, velocity))
        let round = Round(number, of: configuration.rounds, arrival: configuration.arrival)
        let old = masks
        // What the last round takes away at once.
        let softness: Double
        switch configuration.flow {
        case .frankWolfe:
            softness = context.report(from: old, to: old).softness
            let chosen = try context.selection.masks(
                keeping: Scores(context.space, velocity), remaining: density(at: round.progress, in: context),
                perCost: true, members: flowSpace(in: context).members, at: masks)
            masks = masks.moved(to: chosen, by: max(Float(configuration.step), round.shareOfRest))
        case .continuous:
            softness = context.report(from: old, to: old).softness
            try beginRound(round, &masks, in: context)
        case .sparse:
            softness = try flowInSparseSpace(&masks, round, velocity, in: context)
        }
        var report = context.report(from: old, to: masks, energy: energy, loss: loss)
        if round.isLast { report.softness = softness }
        return report
    }

    /// Where a round is among all of them.
    struct Round {
        let number: Int
        /// How far the flow is after it, 0 … 1.
        let progress: Double
        /// Whether the density had arrived before it.
        let hasArrived: Bool
        let isLast: Bool
        /// The share of the way that is left which it has to go; 0 before the density has arrived.
        let shareOfRest: Float

        init(_ number: Int, of count: Int, arrival: Double) {
            self.number = number
            progress = Double(number + 1) / Double(count)
            hasArrived = Double(number) / Double(count) >= arrival
            isLast = number == count - 1
            shareOfRest = isLast ? 1 : hasArrived ? 1 / Float(count - number) : 0
        }
    }

    /// The masks as a point of the flow.
    ///
    /// - Precondition: `members` are there.
    func flowSpace(in context: PruningContext) -> FlowSpace {
        guard let members else { preconditionFailure("a flow before its first round") }
        return FlowSpace(context: context, members: members, blockSize: configuration.blockSize)
    }

    /// Fraction of the cost that the choice may have.
    func density(at progress: Double, in context: PruningContext) -> Double {
        progress < configuration.arrival
            ? configuration.schedule.density(at: progress / configuration.arrival, final: context.remaining)
            : context.remaining
    }

    /// Reads the energy's velocities at the present masks and averages them into the state.
    private mutating func evaluate(_ masks: Masks, in context: PruningContext) throws {
        let criterion = EnergyCriterion(configuration.criterion)
        let read = try criterion.scores(at: masks, from: context.evidence).values
        (energy, loss) = try criterion.reading(at: masks, from: context.evidence)
        guard !velocity.isEmpty else {
            velocity = read.map { Float($0) }
            return
        }
        // Each round's velocities are brought to unit size first: the energy's scale changes as the weights do.
        let keep = configuration.momentum
        velocity = zip(Self.normalized(velocity.map(Double.init)), Self.normalized(read)).map {
            Float(keep * $0 + (1 - keep) * $1)
        }
    }

    static func normalized(_ values: [Double]) -> [Double] {
        let square = values.reduce(0) { $0 + $1 * $1 } / Double(max(values.count, 1))
        let factor = square > 0 ? 1 / square.squareRoot() : 0
        return values.map { $0 * factor }
    }
}

extension Masks {
    /// A share of the way to masks of 0 and 1; what is as good as there is there.
    func moved(to chosen: Masks, by share: Float) -> Masks {
        guard share < 1 else { return chosen }
        return Masks(
            space,
            zip(values, chosen.values).map { mask, target in
                let moved = mask + (target - mask) * share
                return abs(moved - target) < GradientFlow.reach ? target : moved
            })
    }
}
