import Pruning

/// `one-shot`: the flow's criterion applied once, at the dense model, with hard masks. The first control for the flow.
///
///     score_k = e_k of the energy (see `EnergyCriterion`), per unit of cost that k frees
///
/// Based on: Wang, Zhang & Grosse, "Picking Winning Tickets Before Training by Preserving Gradient Flow", ICLR 2020,
/// arXiv 2002.07376; "Pruning for Sparse Diffusion Models Based on Gradient Flow", ICASSP 2025, arXiv 2501.09464.
///
/// Differs from the paper: the derivative is taken with respect to a mask, exactly, instead of summing GraSP's
/// elementwise scores; by default it is that of the look-ahead energy and is read by its size, as in `gradient-flow`
/// (`energy: gradient-norm`, `reading: signed` is the published criterion). Only the abstract of 2501.09464 is public.
public struct OneShot: Pruner {
    public static let card = MethodCard(
        name: "one-shot", family: "gradient-flow",
        summary: "the gradient-flow criterion applied once, with hard masks",
        paper: "Wang, Zhang & Grosse, 2020, arXiv 2002.07376")
    public static let needs = EnergyCriterion.needs
    public let configuration: EnergyCriterion.Configuration

    public init(_ configuration: EnergyCriterion.Configuration, seed: UInt64) { self.configuration = configuration }

    public func plan(_ timing: PlanTiming) -> PruningPlan { .updates(1, timing) }

    public func lossCount(
        of stage: PruningPlan.Stage, from calibration: any CalibrationSource, in space: PruningSpace
    ) -> Int {
        guard case .update = stage else { return 0 }
        return EnergyCriterion(configuration).lossCount(of: calibration)
    }

    public mutating func update(
        _ masks: inout Masks, number: Int, in context: PruningContext
    ) throws -> MaskUpdateReport {
        try context.removeLowest(&masks, by: EnergyCriterion(configuration), density: context.remaining)
    }
}
