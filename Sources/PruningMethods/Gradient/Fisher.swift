import Pruning

/// Fisher information: what the loss changes by, to second order, at a minimum.
///
///     score_k = ½ · mean_n( (∂L_n/∂m_k)² )        L_n: the loss of sample n alone
///
/// at m = 1: of a single weight g_{n,i}·w_i is squared, of a channel the signed sum over its weights. The mean of
/// squares, not the square of the mean gradient, which vanishes at a minimum.
///
/// Based on: Theis et al., "Faster gaze prediction with dense networks and Fisher pruning", 2018, arXiv 1801.05787.
///
/// Differs from the paper: single weights beside feature maps; the mask is that of the whole channel.
public struct Fisher: ImportanceCriterion {
    public static let card = MethodCard(
        name: "fisher", family: "gradient", summary: "removes what has the smallest Fisher information",
        granularities: [.weight, .pattern] + Granularity.Name.all(in: .channels),
        paper: "Theis et al., 2018, arXiv 1801.05787")
    public static let needs: [any EvidenceKind.Type] = [FisherOfMasks.self]
    public static let scoresAreLossChanges = true

    public init(_ configuration: NoConfiguration, seed: UInt64) {}

    public func lossCount(of calibration: any CalibrationSource) -> Int {
        (calibration as? any PerSampleCalibration)?.sampleCount ?? 0
    }

    public func scores(at masks: Masks, from evidence: EvidenceSource) throws -> Scores {
        Scores(masks.space, try evidence(FisherOfMasks(), at: masks).map { 0.5 * $0 })
    }
}
