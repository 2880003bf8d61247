import Pruning

/// First-order Taylor importance of a mask.
///
///     score_k = Σ_b | ∂L_b/∂m_k |        L = Σ_b L_b over the calibration batches
///
/// at m = 1: to first order what the loss changes by when k leaves. By the chain rule ∂L/∂m_k of a channel is the
/// signed sum Σ g_i·w_i over the weights that produce it, plus its part in the normalisation's moments;
/// of a single weight it is g_i·w_i.
///
/// Based on: Molchanov et al., "Importance Estimation for Neural Network Pruning", CVPR 2019, arXiv 1906.10771 (gates
/// after normalisation), and "Pruning Convolutional Neural Networks for Resource Efficient Inference", ICLR 2017.
///
/// Differs from the paper: sizes are averaged over the calibration batches, not squares.
public struct Taylor: ImportanceCriterion {
    public static let card = MethodCard(
        name: "taylor", family: "gradient", summary: "removes what changes the loss least, to first order",
        paper: "Molchanov et al., 2019, arXiv 1906.10771")
    public static let needs: [any EvidenceKind.Type] = [Gradients.self]
    public static let scoresAreLossChanges = true

    public init(_ configuration: NoConfiguration, seed: UInt64) {}

    public func scores(at masks: Masks, from evidence: EvidenceSource) throws -> Scores {
        try evidence(Gradients(), at: masks).masks.sum(abs)
    }
}
