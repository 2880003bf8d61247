import Pruning

/// Wanda: a weight's size times the norm of what it is multiplied with, ranked within the row of one output.
///
///     score_ij = |w_ij| · ‖x_j‖₂        x_j: input channel j over all positions of the calibration batches
///
/// A row is all weights of one output; each gives up the same share.
/// N:M patterns compare M neighbouring inputs of a row.
///
/// Based on: Sun et al., "A Simple and Effective Pruning Approach for Large Language Models", ICLR 2024,
/// arXiv 2306.11695.
///
/// Differs from the paper: convolutions too, whose taps share the norm of their input channel; the root mean square in
/// place of the norm, which changes no rank within a row. Vectors, which read nothing, count by their size alone.
public struct Wanda: ImportanceCriterion {
    public static let card = MethodCard(
        name: "wanda", family: "activation", summary: "removes the smallest weights times inputs of each output",
        granularities: [.weight, .pattern], comparesRows: true, paper: "Sun et al., 2024, arXiv 2306.11695")
    public static let needs: [any EvidenceKind.Type] = [InputStatistics.self]
    public static let scoresAreLossChanges = false

    public init(_ configuration: NoConfiguration, seed: UInt64) {}

    public func scores(at masks: Masks, from evidence: EvidenceSource) throws -> Scores {
        let statistics = try evidence(InputStatistics(), at: masks)
        return Scores(
            masks.space,
            bySite: masks.space.sites.map { site in
                guard case .weight(let weight, _) = site else { preconditionFailure("weights alone have rows") }
                var scores = weight.variable.value.array.map { Double(abs($0)) }
                guard weight.isMaskable, let inputs = statistics[weight] else { return scores }
                // […taps, in, out] in the engine's layout.
                let outputs = weight.variable.shape.last ?? 1
                for index in scores.indices {
                    scores[index] *= inputs.meanSquare[index / outputs % inputs.meanSquare.count].squareRoot()
                }
                return scores
            })
    }
}
