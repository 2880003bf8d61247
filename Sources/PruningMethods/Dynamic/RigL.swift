import Files
import Foundation
import Pruning
import Training

/// RigL: sparse from the start, and at every ΔT steps the smallest weights of each layer make room for those whose
/// gradient is largest.
///
///     at t = ΔT, 2ΔT, … < T_end, of each layer's active weights:   k = f(t)·active,   f(t) = (α/2)(1 + cos(πt/T_end))
///     drop the k of smallest |w|;   grow the k of largest |∂L/∂w| among those not active, from w = 0
///
/// Layers keep their densities, by default those of the Erdős–Rényi–kernel rule. What the optimiser remembers of a
/// weight that comes back is cleared.
///
/// Based on: Evci et al., "Rigging the Lottery: Making All Tickets Winners", ICML 2020, arXiv 1911.11134.
///
/// Differs from the paper: a trained network is made sparse, so that the first mask keeps each layer's largest weights
/// instead of random ones; gradients are those of the calibration batches instead of one training batch; T_end is a
/// share of the fine-tuning steps.
public struct RigL: Pruner {
    public struct Configuration: PrunerConfiguration {
        /// ΔT: steps between updates.
        public var every = 100
        /// α: share of the active weights that is exchanged in the first update.
        public var fraction = 0.3
        /// T_end as a share of the fine-tuning steps.
        public var until = 0.75

        public init() {}

        public func validate() throws {
            try require((1...1_000_000).contains(every), "every", got: every, expected: "1...1000000")
            try require(fraction > 0 && fraction < 1, "fraction", got: fraction, expected: "in (0, 1)")
            try require(until > 0 && until <= 1, "until", got: until, expected: "in (0, 1]")
        }
    }

    public static let card = MethodCard(
        name: "rigl", family: "dynamic",
        summary: "sparse training: the smallest weights make room for the largest gradients",
        granularities: [.weight], allocation: .erdosRenyi, needsTraining: true,
        paper: "Evci et al., 2020, arXiv 1911.11134")
    public static let needs: [any EvidenceKind.Type] = [Gradients.self]

    public let configuration: Configuration
    private var reset: RegrowthReset?

    public init(_ configuration: Configuration, seed: UInt64) { self.configuration = configuration }

    /// The steps at which weights are exchanged.
    private func exchanges(_ timing: PlanTiming) -> [Int] {
        let end = Double(timing.steps) * configuration.until
        return stride(
            from: configuration.every, to: max(configuration.every, Int(end.rounded(.up))), by: configuration.every
        )
        .filter { Double($0) < end }
    }

    public func plan(_ timing: PlanTiming) -> PruningPlan {
        var stages: [PruningPlan.Stage] = [.update(0)]
        var done = 0
        for (index, step) in exchanges(timing).enumerated() {
            stages += [.train(steps: step - done), .update(index + 1)]
            done = step
        }
        return PruningPlan(stages + [.train(steps: timing.steps - done)] + timing.ending)
    }

    public mutating func extensions(in context: PruningContext) -> [any TrainingExtension] {
        let reset = self.reset ?? RegrowthReset(context.space)
        self.reset = reset
        return [reset]
    }

    /// f(t): the share of active weights that is exchanged, `progress` being t/T_end.
    static func exchanged(_ fraction: Double, progress: Double) -> Double {
        0.5 * fraction * (1 + cos(.pi * min(max(progress, 0), 1)))
    }

    public func lossCount(
        of stage: PruningPlan.Stage, from calibration: any CalibrationSource, in space: PruningSpace
    ) -> Int {
        // The first update looks at weights alone.
        guard case .update(let number) = stage, number > 0 else { return 0 }
        return calibration.batchCount
    }

    public mutating func update(
        _ masks: inout Masks, number: Int, in context: PruningContext
    ) throws -> MaskUpdateReport {
        let old = masks
        let sizes = context.space.values(of: context.evidence.arena.values, in: context.evidence.arena)
            .map { Double(abs($0)) }
        guard number > 0 else {
            masks = try context.selection.masks(
                keeping: Scores(context.space, sizes), remaining: context.remaining)
            return context.report(from: old, to: masks)
        }
        // What is not active is zero, so that the whole network is the masked one and has gradients everywhere; and
        // what comes back starts from zero.
        masks.bake(into: context.evidence.arena)
        context.evidence.weightsChanged()
        let gradient = try context.evidence(Gradients(), at: Masks(context.space))
        let slopes = context.space.values(of: gradient.weights, in: context.evidence.arena).map { Double(abs($0)) }
        let end = Double(context.timing.steps) * configuration.until
        let share = Self.exchanged(
            configuration.fraction, progress: Double(exchanges(context.timing)[number - 1]) / end)
        for range in context.space.ranges {
            Self.exchange(&masks.values, in: range, share: share, sizes: sizes, slopes: slopes)
        }
        _ = extensions(in: context)
        reset?.regrown(masks.values.indices.filter { masks.values[$0] == 1 && old.values[$0] == 0 })
        return context.report(from: old, to: masks, loss: gradient.loss)
    }

    /// Drops the share of the active weights of one layer, and grows as many.
    static func exchange(
        _ masks: inout [Float], in range: Range<Int>, share: Double, sizes: [Double], slopes: [Double]
    ) {
        let active = range.filter { masks[$0] == 1 }
        let count = min(Int((share * Double(active.count)).rounded()), range.count - active.count)
        guard count > 0 else { return }
        for index in active.sorted(by: { (sizes[$0], $0) < (sizes[$1], $1) }).prefix(count) { masks[index] = 0 }
        // Those just dropped may come back: they compete by their gradient like all others.
        let inactive = range.filter { masks[$0] == 0 }
        for index in inactive.sorted(by: { (-slopes[$0], $0) < (-slopes[$1], $1) }).prefix(count) { masks[index] = 1 }
    }
}
