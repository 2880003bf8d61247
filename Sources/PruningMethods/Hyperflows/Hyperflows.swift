import Pruning
import Training

/// Hyperflows: a pressure pushes everything towards leaving all the time, and what the network misses once it has left
/// comes back, for its gradient then holds against the pressure.
///
///     m_i = [t_i ≥ 0],   ∂L/∂t_i = 0.25·∂L/∂m_i   (straight-through),   t_i ~ U(0.2, 0.5) at the beginning
///     loss + γ_eff·Σ_i p_i·t_i        p_i: what coordinate i costs, all together 1 (of N single weights each 1/N)
///
/// The gradient that a coordinate feels while it is away is its *flow*: of a single weight 0.25·w·∂L/∂w′. It comes
/// back if 0.25·E[−w·∂L/∂w′] > γ_eff/N, and no rule says so: t falls under the pressure and rises against it. Of a
/// channel ∂L/∂m is its gate's derivative, the sum over the weights on it.
///
/// The soft steps are divided into epochs. In those of pruning, each ends by raising γ where more is left than R(e)
/// and by lowering it where less is (`PressureScheduler`, `PressureTrajectory`), with γ_eff = γ^1.5. What is left is
/// compared an epoch ahead, s(e)·s(e)/s(e − 1) with R(e + 1), and γ counts in the mean flow of the first epoch. In
/// those of regrowth γ = 0, and the rate at which t learns decays. Then the highest t within the budget stay for good:
/// what is there, plus or minus what the scheduler missed by and what regrew.
///
///     epoch 1 ─ update 0 ─ epoch 2 ─ update 1 ─ … ─ last epoch ─ update ─ cut to the budget ─ other steps
///
/// Based on: Barbulescu, Alexoaie & Busoniu, "Hyperflux: Pruning Reveals Importance", 2025, arXiv 2504.05349 (v1:
/// "Hyperflows: Pruning Reveals the Importance of Weights"), with its released code.
///
/// Differs from the paper: the scheduler looks ahead, and counts in flow, so that it lands in few steps and on any loss
/// (`lookahead: 0`, `unit: loss` and `step: 0.2` are the paper's); an epoch is a share of the soft steps and not a pass
/// over the data, and Adam's memory for t is as much shorter as an epoch is than 391 steps; channels, blocks and
/// heads too, each by its gate and at the price of what it costs; R counts the cost that the budget limits; of each
/// layer the highest t stay on, as many as the budget has to keep, so that no layer is ever emptied; what is pruned
/// keeps the weights that it left with, where the released code lets them decay; the weights have one optimiser and
/// one schedule of rates, the run's, for both stages; masks are cut to the budget at the end.
public struct Hyperflows: MaskLearner {
    public static let card = MethodCard(
        name: "hyperflows", family: "learned",
        summary: "a pressure pushes everything out, and what the network then misses comes back by its gradient",
        granularities: [.weight, .channel, .block, .head, .aligned, .regular, .level, .layer], needsTraining: true,
        paper: "Barbulescu, Alexoaie & Busoniu, 2025, arXiv 2504.05349")

    public let configuration: HyperflowsConfiguration
    private let seed: UInt64
    var learning: HyperflowMasks?

    public init(_ configuration: HyperflowsConfiguration, seed: UInt64) {
        self.configuration = configuration
        self.seed = seed
    }

    func makeLearning(in context: PruningContext) -> HyperflowMasks {
        HyperflowMasks(in: context, configuration, seed: seed)
    }

    public var masksAreOnNetwork: Bool { learning?.isOn ?? false }

    public func plan(_ timing: PlanTiming) -> PruningPlan {
        let epochs = PressureEpochs(
            steps: timing.softSteps, pruning: configuration.epochs, regrowth: configuration.regrowthEpochs)
        var stages: [PruningPlan.Stage] = []
        for (number, steps) in epochs.lengths.enumerated() { stages += [.train(steps: steps), .update(number)] }
        stages += [.update(epochs.count)] + timing.closing
        if timing.steps > timing.softSteps { stages.append(.train(steps: timing.steps - timing.softSteps)) }
        return PruningPlan(stages + timing.ending)
    }

    public mutating func update(
        _ masks: inout Masks, number: Int, in context: PruningContext
    ) throws -> MaskUpdateReport {
        let learning = learning(in: context)
        guard learning.epochs.count > 0 else { throw HyperflowsError.noSoftSteps }
        let old = masks
        guard number < learning.epochs.count else {
            masks = try context.selection.masks(
                keeping: Scores(context.space, bySite: learning.scores), remaining: context.remaining)
            learning.detach()
            return context.report(from: old, to: masks)
        }
        masks = learning.masks
        var report = context.report(from: old, to: masks)
        report.pressure = learning.end(epoch: number + 1, at: masks)
        return report
    }
}

/// Why nothing can be learned.
public enum HyperflowsError: Error, CustomStringConvertible {
    case noSoftSteps

    public var description: String {
        switch self {
        case .noSoftSteps:
            "'hyperflows' learns its masks in the soft share of the steps, which has none: expected more steps, or "
                + "pruning.soft_fraction further above 0"
        }
    }
}
