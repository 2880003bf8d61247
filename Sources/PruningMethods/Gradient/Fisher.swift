import Pruning

/// Fisher information: what the loss changes by, to second order, at a minimum.
///
///     score_i = ½ · mean_n(g_{n,i}²) · w_i²        g_n: the gradient of sample n's own loss
///
/// The mean of squares, not the square of the mean gradient, which vanishes at a minimum.
///
/// Based on: Theis et al., "Faster gaze prediction with dense networks and Fisher pruning", 2018, arXiv 1801.05787.
///
/// Differs from the paper: single weights instead of feature maps.
public struct Fisher: ImportanceCriterion {
    public static let card = MethodCard(
        name: "fisher", family: "gradient", summary: "removes the weights of the smallest Fisher information",
        granularities: [.weight, .pattern], paper: "Theis et al., 2018, arXiv 1801.05787")
    public static let needs: [any EvidenceKind.Type] = [FisherDiagonal.self]
    public static let scoresAreLossChanges = true

    public init(_ configuration: NoConfiguration, seed: UInt64) {}

    public func lossCount(of calibration: any CalibrationSource) -> Int {
        (calibration as? any PerSampleCalibration)?.sampleCount ?? 0
    }

    public func scores(at masks: Masks, from evidence: EvidenceSource) throws -> Scores {
        let arena = evidence.arena
        let space = masks.space
        let squares = space.values(of: try evidence(FisherDiagonal(), at: masks), in: arena)
        return Scores(
            space, zip(space.values(of: arena.values, in: arena), squares).map { Double(0.5 * $1 * $0 * $0) })
    }
}
