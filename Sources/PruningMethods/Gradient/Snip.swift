import Pruning

/// SNIP, connection sensitivity: what the loss changes by, to first order, when a weight leaves.
///
///     score_k = | ∂L/∂m_k |        L: the mean over the calibration batches
///
/// at m = 1: |w_i·g_i| of a single weight, and of a channel the size of the signed sum over its weights.
///
/// Based on: Lee, Ajanthan & Torr, "SNIP: Single-shot Network Pruning based on Connection Sensitivity", ICLR 2019,
/// arXiv 1810.02340.
///
/// Differs from the paper: channels too; read at a trained model instead of at initialisation;
/// scores are not divided by their sum, which changes no rank.
public struct Snip: ImportanceCriterion {
    public static let card = MethodCard(
        name: "snip", family: "gradient", summary: "removes what the loss's mean slope is smallest along",
        granularities: [.weight, .pattern] + Granularity.Name.all(in: .channels),
        paper: "Lee et al., 2019, arXiv 1810.02340")
    public static let needs: [any EvidenceKind.Type] = [Gradients.self]
    public static let scoresAreLossChanges = true

    public init(_ configuration: NoConfiguration, seed: UInt64) {}

    public func scores(at masks: Masks, from evidence: EvidenceSource) throws -> Scores {
        var scores = try evidence(Gradients(), at: masks).masks.sum()
        scores.values = scores.values.map(abs)
        return scores
    }
}
