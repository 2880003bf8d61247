import Pruning

/// Gradient power: removes what the losses of no batch ask to change.
///
///     score_k = Σ_{i∈k} mean_b(g_{b,i}²) over the weights on channel k
///     score_i = mean_b(g_{b,i}²) of a single weight
///
/// with g_b = ∂L_b/∂w; divided by the mean score of the layer.
///
/// Based on: authors, title, venue, identifier.
///
/// Differs from the paper: everything that does, or leave the line out.
struct GradientPower: ImportanceCriterion {
    struct Configuration: PrunerConfiguration {
        /// Whether scores are divided by their layer's mean, so that layers give up about equal shares.
        var balancesLayers = true

        func validate() throws {}
    }

    static let card = MethodCard(
        name: "gradient-power", family: "gradient", summary: "removes what gets the least gradient", paper: "")
    static let needs: [any EvidenceKind.Type] = [SquaredBatchGradients.self]
    static let scoresAreLossChanges = false

    private let configuration: Configuration

    init(_ configuration: Configuration, seed: UInt64) { self.configuration = configuration }

    func scores(at masks: Masks, from evidence: EvidenceSource) throws -> Scores {
        let squares = try evidence(SquaredBatchGradients(), at: masks)
        return Scores(
            masks.space,
            bySite: masks.space.sites.map { site in
                let power =
                    switch site {
                    case .axis(let group): group.sums(of: squares, in: evidence.arena)
                    case .weight(_, let index): evidence.arena.slice(squares, index).array.map(Double.init)
                    }
                let mean = power.reduce(0, +) / Double(power.count)
                return configuration.balancesLayers && mean > 0 ? power.map { $0 / mean } : power
            })
    }
}
