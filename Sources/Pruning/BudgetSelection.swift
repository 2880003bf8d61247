/// Chooses which units leave so that a budget is met: the lowest scores first, over all groups at once, until the cost
/// is at most what is allowed. The cost is above it before the last unit leaves, so it is hit within one unit.
public struct BudgetSelection {
    public let cost: CostModel
    /// What the network costs before this selection's run began; ratios refer to it.
    public let fullCost: Double
    public let granularity: Granularity
    /// Fraction of each group's channels that always stays (at least one channel).
    public let leastFraction: Double
    let groups: [PrunableGroup]
    let normalizationGroups: Int

    public init(
        cost: CostModel, groups: [PrunableGroup], granularity: Granularity, leastFraction: Double,
        normalizationGroups: Int
    ) {
        self.cost = cost
        self.groups = groups
        self.granularity = granularity
        self.leastFraction = leastFraction
        self.normalizationGroups = normalizationGroups
        fullCost = cost.cost(groups.map(\.width))
    }

    private func leastWidth(_ group: Int) -> Int {
        max(1, Int((Double(groups[group].width) * leastFraction).rounded(.up)))
    }

    /// Cost of a mask relative to the whole, counting a soft mask by its sum.
    public func density(of masks: MaskSet) -> Double { cost.cost(masks.softWidths) / fullCost }

    /// ∂density/∂m for one channel of each group at the given soft widths.
    public func marginalDensities(of masks: MaskSet) -> [Double] {
        cost.marginalCosts(masks.softWidths).map { $0 / fullCost }
    }

    /// Binary masks that keep the highest scores within `remaining` of the full cost.
    ///
    /// - Parameters:
    ///   - scores: one a channel of each group; comparable between groups. −∞ says that a channel has left already: it
    ///     leaves even where the budget would be met with it.
    ///   - perCost: whether scores are changes of a loss, so that what counts is the score for the cost that a channel
    ///     frees (the greedy rule of the knapsack problem). Relative scores, like norms divided by their layer's mean,
    ///     say nothing about a loss and are ranked as they are.
    public func masks(keeping scores: [[Double]], remaining: Double, perCost: Bool = false) throws -> MaskSet {
        let marginal = cost.marginalCosts(groups.map { Double($0.width) })
        var units: [PruningUnit] = []
        for (number, group) in groups.enumerated() {
            let price = perCost && marginal[number] > 0 ? marginal[number] / fullCost : 1
            units += granularity.units(
                of: group, number: number, scores: scores[number].map { $0 / price },
                normalizationGroups: normalizationGroups)
        }
        // Ties are broken by position, so that the outcome never depends on a sort's internals.
        let order = units.indices.sorted { a, b in
            let (x, y) = (Self.sortable(units[a].score), Self.sortable(units[b].score))
            return x != y ? x < y : a < b
        }
        var masks = MaskSet(keepingAllOf: groups)
        var widths = groups.map(\.width)
        let allowed = remaining * fullCost
        var current = fullCost
        for index in order {
            let unit = units[index]
            if current <= allowed * (1 + 1e-12) && unit.score != -.infinity { break }
            guard widths[unit.group] - unit.channels.count >= leastWidth(unit.group) else { continue }
            for channel in unit.channels { masks.values[unit.group][channel] = 0 }
            widths[unit.group] -= unit.channels.count
            current = cost.cost(widths)
        }
        guard current <= allowed * (1 + 1e-12) else {
            throw BudgetError.unreachable(asked: remaining, least: current / fullCost, quantity: cost.kind.rawValue)
        }
        return masks
    }

    /// A score that is not a number says nothing for a channel: it leaves first.
    private static func sortable(_ score: Double) -> Double { score.isNaN ? -.infinity : score }
}
