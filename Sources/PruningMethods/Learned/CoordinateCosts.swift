import Pruning

extension PruningContext {
    /// What each coordinate of a site costs by the first limit while everything is there, all together 1: of single
    /// weights, one part of their number.
    var coordinateCosts: [Float] {
        let marginal = selection.marginalDensities(of: Masks(space))
        let total = zip(marginal, space.widths).reduce(0) { $0 + $1.0 * Double($1.1) }
        return marginal.map { Float($0 / max(total, .leastNormalMagnitude)) }
    }
}
