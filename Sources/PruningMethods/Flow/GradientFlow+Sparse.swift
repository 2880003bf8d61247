import Pruning

/// The flow `sparse`.
extension GradientFlow {
    /// One round.
    ///
    /// - Parameters:
    ///   - masks: changed.
    ///   - round: where it is among all.
    ///   - velocity: of every coordinate, averaged over rounds.
    ///   - context: of the run.
    /// - Returns: how undecided the masks are before whole units are chosen.
    func flowInSparseSpace(
        _ masks: inout Masks, _ round: Round, _ velocity: [Double], in context: PruningContext
    ) throws -> Double {
        let space = flowSpace(in: context)
        var point = space.point(of: masks)
        // Per unit of cost: the flow runs in the metric of the costs.
        let drive = Self.scaled(
            zip(space.sums(of: velocity), space.costs(at: point)).map { $1 > 0 ? $0 / $1 : $0 },
            configuration.scaling, sites: space.unitsOfSites)
        if !round.hasArrived {
            let well = configuration.polarization * round.progress
            let flow = SparseFlow(ratio: configuration.ratio)
            let (start, density) = (space.density(of: point), density(at: round.progress, in: context))
            for step in 0..<configuration.flowSteps {
                let target = start + (density - start) * Double(step + 1) / Double(configuration.flowSteps)
                let drive = zip(drive, point).map { $0 + well * (2 * $1 - 1) }
                space.advance(&point, along: drive, flow: flow, to: target, steps: configuration.flowSteps)
            }
        }
        let flowed = space.masks(at: point)
        let softness = context.report(from: masks, to: flowed).softness
        guard round.shareOfRest > 0 else {
            masks = flowed
            return softness
        }
        // Decided masks keep their order by m; the velocity only separates masks of equal m.
        let priorities = zip(point, drive).map { $0 + 1e-3 * $1 }
        let chosen = try context.selection.masks(
            keeping: Scores(context.space, space.spread(priorities)), remaining: context.remaining, members: members)
        masks = masks.moved(to: chosen, by: round.shareOfRest)
        return softness
    }

    private static func scaled(
        _ velocity: [Double], _ scaling: GradientFlowConfiguration.Scaling, sites: [[Int]]
    ) -> [Double] {
        switch scaling {
        case .none:
            let square = velocity.reduce(0) { $0 + $1 * $1 } / Double(max(velocity.count, 1))
            return square > 0 ? velocity.map { $0 / square.squareRoot() } : velocity
        case .rank: return ranked(velocity, among: [Array(velocity.indices)])
        case .groupRank: return ranked(velocity, among: sites)
        }
    }

    /// Each value's rank within its set, spread evenly over [−1, 1].
    private static func ranked(_ values: [Double], among sets: [[Int]]) -> [Double] {
        var result = values.map { _ in 0.0 }
        for set in sets {
            let order = set.sorted { values[$0] != values[$1] ? values[$0] < values[$1] : $0 < $1 }
            let last = Double(max(set.count - 1, 1))
            for (rank, index) in order.enumerated() { result[index] = 2 * Double(rank) / last - 1 }
        }
        return result
    }
}
