import Pruning

/// Whole blocks: those leave without which the loss rises least for the cost that they free.
///
///     score_b = L(without block b) − L        per unit of cost
///
/// by the plain calibration loss with all inner channels of the block masked; a residual block is then its shortcut.
///
/// Based on: Kim et al., "BK-SDM: A Lightweight, Fast, and Cheap Version of Stable Diffusion", 2023, arXiv 2305.15798
/// (blocks of a U-Net removed whole).
///
/// Differs from the paper: blocks are chosen by the loss without them, under a budget, instead of by hand; every block
/// is judged alone at the dense model, or anew in each of several rounds.
public struct Depth: ImportanceCriterion {
    public static let card = MethodCard(
        name: "depth", family: "structured", summary: "removes the blocks without which the loss rises least",
        granularities: [.layer], paper: "Kim et al., 2023, arXiv 2305.15798")
    public static let needs: [any EvidenceKind.Type] = [CalibrationLoss.self]
    public static let scoresAreLossChanges = true

    public init(_ configuration: NoConfiguration, seed: UInt64) {}

    public func scores(at masks: Masks, from evidence: EvidenceSource) throws -> Scores {
        let whole = try evidence(CalibrationLoss(), at: masks)
        var scores = Scores(masks.space, Array(repeating: 0, count: masks.space.count))
        for (site, group) in masks.space.groups.enumerated() where group.axis.isRemovable && group.width > 0 {
            guard masks[site].contains(where: { $0 > 0 }) else { continue }
            var without = masks
            without[site] = without[site].map { _ in 0 }
            let rise = try evidence(CalibrationLoss(), at: without) - whole
            scores[site] = scores[site].map { _ in rise / Double(group.width) }
        }
        return scores
    }
}
