import Pruning

/// SNIP, connection sensitivity: what the loss changes by, to first order, when a weight leaves.
///
///     score_i = | w_i · g_i |        g = ∂L/∂w, the mean over the calibration batches
///
/// Based on: Lee, Ajanthan & Torr, "SNIP: Single-shot Network Pruning based on Connection Sensitivity", ICLR 2019,
/// arXiv 1810.02340.
///
/// Differs from the paper: read at a trained model instead of at initialisation;
/// scores are not divided by their sum, which changes no rank.
public struct Snip: ImportanceCriterion {
    public static let card = MethodCard(
        name: "snip", family: "gradient", summary: "removes the weights whose product with their gradient is smallest",
        granularities: [.weight, .pattern], paper: "Lee et al., 2019, arXiv 1810.02340")
    public static let needs: [any EvidenceKind.Type] = [Gradients.self]
    public static let scoresAreLossChanges = true

    public init(_ configuration: NoConfiguration, seed: UInt64) {}

    public func scores(at masks: Masks, from evidence: EvidenceSource) throws -> Scores {
        let arena = evidence.arena
        let space = masks.space
        let gradients = space.values(of: try evidence(Gradients(), at: masks).weights, in: arena)
        return Scores(
            space, zip(space.values(of: arena.values, in: arena), gradients).map { Double(abs($0 * $1)) })
    }
}
