import Pruning

/// First-order Taylor importance of a channel's gate.
///
///     score_k = Σ_b | ∂L_b/∂m_k |        L = Σ_b L_b over the calibration batches
///
/// at m = 1: to first order what the loss changes by when channel k leaves. By the chain rule ∂L/∂m_k is the signed sum
/// Σ g_i·w_i over the weights that produce the channel, plus its part in the normalisation's moments.
///
/// Based on: Molchanov et al., "Importance Estimation for Neural Network Pruning", CVPR 2019, arXiv 1906.10771 (gates
/// after normalisation), and "Pruning Convolutional Neural Networks for Resource Efficient Inference", ICLR 2017.
///
/// Differs from the paper: sizes are averaged over the calibration batches, not squares.
public struct Taylor: ImportanceCriterion {
    public static let card = MethodCard(
        name: "taylor", family: "gradient", summary: "removes the channels whose gate changes the loss least",
        paper: "Molchanov et al., 2019, arXiv 1906.10771")
    public static let needs: Evidence = [.weights, .gradients]
    public static let scoresAreLossChanges = true

    public init(_ configuration: NoConfiguration, seed: UInt64) {}

    public func scores(masks: MaskSet, from evidence: EvidenceCollector) throws -> [[Double]] {
        try evidence.gradients(masks: masks).gatesOfBatches.map { $0.map { $0.map(abs) } }.summed
    }
}
