/// What follows of a budget from model and granularity alone, whatever any scores say.
extension Selection {
    /// Throws what choosing would throw at the end, before anything is done.
    ///
    /// - Throws: `BudgetError` where even the least that the granularity can leave costs more than a limit allows.
    public func checkReachable() throws {
        switch space.kind {
        case .channels: try checkReached(lowestWidths, allowed(at: budget.remaining))
        case .weights:
            // A pattern keeps what it keeps, which is checked against the budget from the start.
            if partition is PatternPartition { return }
            try checkReached(lowestWidths.reduce(0, +), Self.kept(of: space.count, budget.remaining))
        }
    }

    /// The widths where all has left that may leave.
    public var lowestWidths: [Int] {
        guard space.kind == .channels else { return partition.minimumWidths }
        if ratios != nil { return widthsLeft(at: 0) }
        let scores = Scores(space, Array(repeating: 0, count: space.count))
        let units = partition.units(of: scores, prices: space.sites.map { _ in 1 })
        guard case .lists(var lists) = units.members else { return partition.minimumWidths }
        if let order = units.order { lists = order.map { lists[$0] } }
        var widths = space.widths
        // The largest first: where units of a site differ, these leave least.
        for list in lists.enumerated().sorted(by: { ($1.element.count, $0.offset) < ($0.element.count, $1.offset) }) {
            let leaving = Dictionary(grouping: list.element) { space.site(of: $0) }.mapValues(\.count)
            guard leaving.allSatisfy({ widths[$0.key] - $0.value >= partition.minimumWidths[$0.key] }) else { continue }
            for (site, count) in leaving { widths[site] -= count }
        }
        return widths
    }

    /// The error of a limit, by its number, where `minimum` of its cost is the least that can be left.
    package func unreachable(_ index: Int, minimum: Double) -> BudgetError {
        unreachable(index, asked: budget.limits[index].remaining, minimum: minimum, widths: lowestWidths)
    }

    /// The fraction of each limit's cost that is left at least.
    public var lowestFractions: [(limit: Budget.Limit, remaining: Double)] {
        let widths = lowestWidths
        return budget.limits.indices.map { (budget.limits[$0], costs[$0].value(widths) / fullCosts[$0]) }
    }
}
