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
        let rounds = configuration.rounds
        let progress = Double(number + 1) / Double(rounds)
        let density = configuration.schedule.density(
            at: min(1, progress / configuration.arrival), final: context.remaining)
        let old = masks
        let velocity = self.velocity.map(Double.init)
        let members = self.members ?? context.selection.members(by: Scores(context.space, velocity))
        self.members = members
        let space = FlowSpace(context: context, members: members, blockSize: configuration.blockSize)
        var point = space.point(of: masks)
        let hasArrived = Double(number) / Double(rounds) >= configuration.arrival
        let isLast = number == rounds - 1
        let share = isLast ? 1 : hasArrived ? 1 / Float(rounds - number) : 0
        let softness: Double
        switch configuration.flow {
        case .frankWolfe:
            let chosen = try context.selection.masks(
                keeping: Scores(context.space, velocity), remaining: hasArrived || isLast ? context.remaining : density,
                perCost: true, members: space.members, at: masks)
            softness = context.report(from: old, to: old).softness
            masks = masks.moved(to: chosen, by: max(Float(configuration.step), share))
        case .sparse:
            // Per unit of cost: the flow runs in the metric of the costs.
            let drive = Self.scaled(
                zip(space.sums(of: velocity), space.costs(at: point)).map { $1 > 0 ? $0 / $1 : $0 },
                configuration.scaling, sites: space.unitsOfSites)
            if !hasArrived {
                let well = configuration.polarization * progress
                let flow = SparseFlow(ratio: configuration.ratio)
                let start = space.density(of: point)
                for step in 0..<configuration.flowSteps {
                    let target = start + (density - start) * Double(step + 1) / Double(configuration.flowSteps)
                    let drive = zip(drive, point).map { $0 + well * (2 * $1 - 1) }
                    space.advance(&point, along: drive, flow: flow, to: target, steps: configuration.flowSteps)
                }
            }
            softness = context.report(from: old, to: space.masks(at: point)).softness
            guard share > 0 else {
                masks = space.masks(at: point)
                break
            }
            // Decided masks keep their order by m; the velocity only separates masks of equal m.
            let priorities = zip(point, drive).map { $0 + 1e-3 * $1 }
            let chosen = try context.selection.masks(
                keeping: Scores(context.space, space.spread(priorities)), remaining: context.remaining,
                members: members)
            masks = masks.moved(to: chosen, by: share)
        }
        var report = context.report(from: old, to: masks, energy: energy, loss: loss)
        // What the last round took away at once.
        if isLast { report.softness = softness }
        return report
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

    private static func normalized(_ values: [Double]) -> [Double] {
        let square = values.reduce(0) { $0 + $1 * $1 } / Double(max(values.count, 1))
        let factor = square > 0 ? 1 / square.squareRoot() : 0
        return values.map { $0 * factor }
    }

    private static func scaled(
        _ velocity: [Double], _ scaling: GradientFlowConfiguration.Scaling, sites: [[Int]]
    ) -> [Double] {
        switch scaling {
        case .none:
            let square = velocity.reduce(0) { $0 + $1 * $1 } / Double(max(velocity.count, 1))
            return square > 0 ? velocity.map { $0 / square.squareRoot() } : velocity
        case .rank: return ranked(velocity, among: [Array(velocity.indices)])
        case .groupRank: return ranked(velocity, among: sites)
        }
    }

    /// Each value's rank within its set, spread evenly over [−1, 1].
    private static func ranked(_ values: [Double], among sets: [[Int]]) -> [Double] {
        var result = values.map { _ in 0.0 }
        for set in sets {
            let order = set.sorted { values[$0] != values[$1] ? values[$0] < values[$1] : $0 < $1 }
            let last = Double(max(set.count - 1, 1))
            for (rank, index) in order.enumerated() { result[index] = 2 * Double(rank) / last - 1 }
        }
        return result
    }
}

extension Masks {
    /// A share of the way to masks of 0 and 1; what is as good as there is there.
    fileprivate func moved(to chosen: Masks, by share: Float) -> Masks {
        guard share < 1 else { return chosen }
        return Masks(
            space,
            zip(values, chosen.values).map { mask, target in
                let moved = mask + (target - mask) * share
                return abs(moved - target) < GradientFlow.reach ? target : moved
            })
    }
}
