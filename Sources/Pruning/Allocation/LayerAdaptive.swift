import Foundation

/// Scores that take into account how little of a site is left.
///
///     s′_u = s_u·Σ_{v of u's site} s_v / Σ_{v of u's site, v not before u} s_v
///
/// the units v of a site in the order in which they leave, lowest first. Scores are read at what is there now; added
/// up, they say that a site without all of its units harms no more than the sum. If the harm of keeping units that are
/// worth the share f of their site is S·ln(1/f) instead, S = Σ s_v, which rises without bound as a site empties, then
/// s′_u is what it rises by at the removal of u, to first order. Since a site's units always leave in the same order,
/// s′ does not depend on what happens elsewhere, and the lowest s′ of all sites leave first as with plain scores.
///
/// Based on: Lee et al., "Layer-adaptive sparsity for the magnitude-based pruning" (LAMP), ICLR 2021, arXiv 2010.07611:
/// for squared weights, w_u²/Σ w_v².
///
/// Differs from the paper: any scores, channels too; times S^a, so that a layer that matters more keeps more. With
/// a = 1 it does by as much as scores say, with a = 0, as in the paper, all layers matter alike. Where little is to be left
/// each layer is needed, whatever its scores say beside others', and smaller a leave better models.
enum LayerAdaptive {
    /// - Parameters:
    ///   - scores: one a unit; those below 0 count as 0 in the sums.
    ///   - weights: what a unit's score is multiplied by in the sums.
    ///   - sites: the units of each site.
    ///   - exponent: a, 0 … 1.
    static func scores(
        _ scores: [Double], weights: [Double], sites: [[Int]], exponent: Double = 1
    ) -> [Double] {
        var result = scores
        for units in sites {
            let order = units.filter { scores[$0] > 0 }.sorted { (scores[$0], $0) < (scores[$1], $1) }
            var left = 0.0
            let sums = order.reversed().map { unit in
                left += scores[unit] * weights[unit]
                return left
            }
            let power = exponent == 1 ? left : pow(left, exponent)
            for (unit, rest) in zip(order.reversed(), sums) { result[unit] *= power / rest }
        }
        return result
    }
}
