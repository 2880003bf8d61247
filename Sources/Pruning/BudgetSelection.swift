import Layers

/// Chooses which units leave so that a budget is met: the lowest scores first, over all groups at once, until the cost
/// is at most what is allowed. The cost is above it before the last unit leaves, so it is hit within one unit.
public struct BudgetSelection {
    public let cost: CostModel
    /// What the network costs before this selection's run began; ratios refer to it.
    public let fullCost: Double
    public let granularity: Granularity
    private let groups: [PrunableGroup]
    private let leastWidths: [Int]
    private let regularPlan: RegularPlan?
    private let alignedRuns: [AlignedRuns]?

    /// - Parameters:
    ///   - leastFraction: of each group's channels, always stays (at least one channel).
    ///   - normalizations: the network's, which `regular` keeps equal.
    /// - Throws: `GranularityError` where `regular` cannot be had.
    public init(
        cost: CostModel, groups: [PrunableGroup], granularity: Granularity, leastFraction: Double,
        normalizations: [GroupNorm]
    ) throws {
        self.cost = cost
        self.groups = groups
        self.granularity = granularity
        fullCost = cost.cost(groups.map(\.width))
        let leastWidths = groups.map { max(1, Int((Double($0.width) * leastFraction).rounded(.up))) }
        self.leastWidths = leastWidths
        if case .regular(let multiple) = granularity {
            regularPlan = try RegularPlan(
                groups: groups, normalizations: normalizations, multiple: multiple, leastWidths: leastWidths)
        } else {
            regularPlan = nil
        }
        if case .aligned(let multiple) = granularity {
            alignedRuns = groups.enumerated().map {
                AlignedRuns(multiple: multiple, group: $0, axis: $1.axis, normalizations: normalizations)
            }
        } else {
            alignedRuns = nil
        }
    }

    /// Groups, by number, whose channels leave together: each alone, but for `regular`.
    public var families: [[Int]] { regularPlan?.families ?? groups.indices.map { [$0] } }

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
    ///   - given: what leaves at once; nil for the granularity's units by these scores.
    public func masks(
        keeping scores: [[Double]], remaining: Double, perCost: Bool = false, units given: [[PruningUnit.Part]]? = nil
    ) throws -> MaskSet {
        let marginal = cost.marginalCosts(groups.map { Double($0.width) })
        let prices = marginal.map { perCost && $0 > 0 ? $0 / fullCost : 1 }
        let units =
            given?.map { PruningUnit($0, scores: scores, prices: prices) } ?? self.units(scores, prices)
        // Ties are broken by position, so that the outcome never depends on a sort's internals.
        let keys = units.map { $0.mustLeave ? -.infinity : PruningUnit.sortable($0.score) }
        let order = units.indices.sorted { keys[$0] != keys[$1] ? keys[$0] < keys[$1] : $0 < $1 }
        var masks = MaskSet(keepingAllOf: groups)
        var widths = groups.map(\.width)
        let allowed = remaining * fullCost
        var current = fullCost
        var gone: [PruningUnit] = []
        for index in order {
            let unit = units[index]
            if current <= allowed * (1 + 1e-12) && !unit.mustLeave { break }
            guard unit.parts.allSatisfy({ widths[$0.group] - $0.channels.count >= leastWidths[$0.group] }) else {
                continue
            }
            for part in unit.parts {
                for channel in part.channels { masks.values[part.group][channel] = 0 }
                widths[part.group] -= part.channels.count
            }
            current = cost.cost(widths)
            gone.append(unit)
        }
        guard current <= allowed * (1 + 1e-12) else {
            let (least, quantity) = (current / fullCost, cost.kind.rawValue)
            guard regularPlan != nil else {
                throw BudgetError.unreachable(asked: remaining, least: least, quantity: quantity)
            }
            let whole = zip(widths, groups).count { $0 == $1.width }
            throw BudgetError.unreachableRegularly(
                asked: remaining, least: least, quantity: quantity, whole: whole, count: groups.count)
        }
        if regularPlan != nil || alignedRuns != nil {
            giveBack(gone, to: &masks, widths: widths, allowed: allowed)
        }
        return masks
    }

    /// These units are large, and the last one may free far more than was asked: those that still fit come back, the best first, each group's in the order
    /// opposite to that in which they left.
    private func giveBack(_ gone: [PruningUnit], to masks: inout MaskSet, widths: [Int], allowed: Double) {
        var widths = widths
        var stays: Set<Int> = []
        for unit in gone.reversed() where !unit.mustLeave && stays.isDisjoint(with: unit.parts.map(\.group)) {
            var wider = widths
            for part in unit.parts { wider[part.group] += part.channels.count }
            guard cost.cost(wider) <= allowed * (1 + 1e-12) else {
                stays.formUnion(unit.parts.map(\.group))
                continue
            }
            widths = wider
            for part in unit.parts {
                for channel in part.channels { masks.values[part.group][channel] = 1 }
            }
        }
    }

    /// What leaves at once if channels are worth these scores.
    public func units(by scores: [[Double]]) -> [[PruningUnit.Part]] {
        units(scores, groups.map { _ in 1 }).map(\.parts)
    }

    private func units(_ scores: [[Double]], _ prices: [Double]) -> [PruningUnit] {
        if let regularPlan { return regularPlan.units(scores: scores, prices: prices) }
        if let alignedRuns { return alignedRuns.flatMap { $0.units(scores: scores, prices: prices) } }
        return groups.enumerated().flatMap { number, group in
            granularity.runs(of: group.axis).map {
                PruningUnit([PruningUnit.Part(group: number, channels: $0)], scores: scores, prices: prices)
            }
        }
    }
}
