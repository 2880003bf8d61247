import Layers

/// Chooses which coordinates of a space leave so that a budget is met: a partition says what leaves together, costs
/// what that frees, an allocation where it is taken.
///
/// The lowest scores leave first, until every limit holds. The cost is above a limit before the last unit leaves, so
/// the budget is hit within one unit.
public struct Selection {
    public let space: PruningSpace
    /// What may be left, held against the network.
    public let budget: Budget
    /// What each limit of the budget counts.
    public let costs: [any Cost]
    public let partition: any Partition
    public let allocation: Allocation
    /// What stays of each site; nil where scores or one share for all say it.
    let ratios: [Double]?
    /// a of `LayerAdaptive`, 0 … 1.
    public let layerExponent: Double
    /// What the network costs by each limit before this selection's run began; ratios refer to it.
    public let fullCosts: [Double]

    /// - Parameters:
    ///   - space: what is masked.
    ///   - network: what it is a space of.
    ///   - budget: what may be left.
    ///   - granularity: what leaves together.
    ///   - minimumFraction: of each site's channels, 0 ..< 1, that stays whatever the scores say.
    ///   - allocation: where what leaves is taken from.
    ///   - layerExponent: how much of what layers matter beside each other `layer-adaptive` scores take in, 0 … 1.
    ///   - comparesRows: whether single weights are compared within the rows of their outputs.
    ///   - ratios: what stays of each site, for allocation `ratios`; nil with any other.
    ///   - storage: how the weights are saved, for budgets in bytes; nil where nothing is known of that.
    /// - Throws: `GranularityError` where the granularity cannot be had,
    ///   `BudgetError` for a budget that does not go with it, `AllocationError`, `RatioError`.
    /// - Precondition: ratios with allocation `ratios`, and with that alone.
    public init(
        space: PruningSpace, network: any ChannelNetwork, budget: Budget, granularity: Granularity,
        minimumFraction: Double, allocation: Allocation = .global, layerExponent: Double = 1,
        comparesRows: Bool = false, ratios: SiteRatios? = nil, storedAs storage: (any WeightStorage)? = nil
    ) throws {
        precondition((ratios != nil) == (allocation == .ratios), "ratios are of allocation 'ratios'")
        if ratios != nil, !granularity.takesRatios { throw RatioError.notFor(granularity: granularity.name.rawValue) }
        self.ratios = try ratios?.bySite(space)
        self.space = space
        self.allocation = allocation
        self.layerExponent = layerExponent
        let costs = try budget.costs(in: space, of: network, storedAs: storage)
        let partition = try granularity.partition(
            of: space, minimumFraction: minimumFraction, network: network, comparesRows: comparesRows)
        self.partition = partition
        self.costs = costs.map(partition.counted)
        fullCosts = self.costs.map { $0.value(space.widths) }
        let budget = try budget.measured(by: fullCosts, in: space, of: network, storedAs: storage)
        self.budget = budget
        if case .pattern(let keep, let of) = granularity {
            let sparsity = 1 - Double(keep) / Double(of)
            if let limit = budget.limits.first(where: { $0.quantity != .sparsity }) {
                throw BudgetError.patternHasItsOwnSize(limit, pattern: "\(keep):\(of)", sparsity: sparsity)
            }
            guard abs(1 - budget.remaining - sparsity) < 1e-6 else {
                throw BudgetError.patternHasItsOwn(
                    asked: 1 - budget.remaining, pattern: "\(keep):\(of)", sparsity: sparsity)
            }
        }
        guard allocation != .erdosRenyi || space.kind == .weights else {
            throw AllocationError.notForChannels(allocation)
        }
        guard allocation == .global || partition.families.allSatisfy({ $0.count == 1 }) else {
            throw AllocationError.notForFamilies(allocation)
        }
    }

    /// Sites, by number, whose coordinates leave together: each alone, but for `regular` and `level`.
    public var families: [[Int]] { partition.families }

    // MARK: density

    /// The first limit's cost of a mask relative to the whole, counting a soft mask by its sum.
    public func density(of masks: Masks) -> Double { costs[0].value(masks.softWidths) / fullCosts[0] }

    /// How near masks are to the budget, on the scale of the first limit: the fraction of its cost that is left or,
    /// where another limit is further behind, at which that one would be in step.
    public func remaining(of masks: Masks) -> Double {
        let widths = masks.softWidths
        let behind = budget.limits.indices.map { index in
            (1 - costs[index].value(widths) / fullCosts[index]) / (1 - budget.limits[index].remaining)
        }
        return 1 - (behind.min() ?? 0) * (1 - budget.remaining)
    }

    /// ∂density/∂m for one coordinate of each site at the given masks.
    public func marginalDensities(of masks: Masks) -> [Double] {
        costs[0].slopes(masks.softWidths).map { $0 / fullCosts[0] }
    }

    /// What each limit allows when the first one is at `remaining`: all come nearer in step.
    func allowed(at remaining: Double) -> [Double] {
        let first = budget.limits[0].remaining
        let share = (1 - remaining) / (1 - first)
        return zip(budget.limits.indices, fullCosts).map { index, full in
            (index == 0 ? remaining : 1 - (1 - budget.limits[index].remaining) * share) * full
        }
    }

    func fits(_ widths: [Int], _ allowed: [Double]) -> Bool {
        zip(costs, allowed).allSatisfy { $0.value(widths) <= $1 * (1 + 1e-12) }
    }

    /// What a coordinate of each site counts: with `perCost` what it frees beside all else that is there, relative to
    /// what all costs.
    private func prices(of scores: Scores, perCost: Bool, at masks: Masks? = nil) -> [Double] {
        guard perCost else { return space.sites.map { _ in 1 } }
        let widths = masks?.softWidths ?? space.ranges.map { Double(scores.values[$0].count { $0 != -.infinity }) }
        let marginal = zip(costs, fullCosts).map { cost, full in cost.slopes(widths).map { $0 / full } }
        return space.sites.indices.map { site in
            let price = marginal.reduce(0) { $0 + $1[site] }
            return price > 0 ? price : 1
        }
    }

    // MARK: choosing

    /// Lets units of a site count the more, the less of it is left.
    private func adaptScores(of units: inout Units, _ prices: [Double]) {
        switch units.members {
        case .singles:
            units.scores = LayerAdaptive.scores(
                units.scores, weights: units.scores.map { _ in 1 }, sites: space.ranges.map(Array.init),
                exponent: layerExponent)
        case .lists(let lists):
            // A site's own sums: what a unit is worth, not what it is worth for its price.
            let weights = lists.map { $0.reduce(0) { $0 + prices[space.site(of: $1)] } }
            let sites = Dictionary(grouping: lists.indices) { space.site(of: lists[$0][0]) }
            units.scores = LayerAdaptive.scores(
                units.scores, weights: weights, sites: Array(sites.values), exponent: layerExponent)
        }
    }

    /// What leaves at once if coordinates are worth these scores.
    public func members(by scores: Scores) -> UnitMembers {
        partition.units(of: scores, prices: prices(of: scores, perCost: false)).members
    }

    /// Binary masks that keep the highest scores within `remaining` of the first limit's full cost,
    /// and the others in step.
    ///
    /// - Parameters:
    ///   - scores: −∞ says that a coordinate has left already: it leaves even where the budget would be met with it.
    ///   - remaining: fraction of the first limit's full cost.
    ///   - perCost: whether scores are changes of a loss, so that what counts is the score for the cost that a
    ///     coordinate frees (the greedy rule of the knapsack problem). Relative scores, like norms divided by their
    ///     layer's mean, say nothing about a loss and are ranked as they are.
    ///   - members: what leaves at once; nil for the partition's units by these scores.
    ///   - masks: where the scores were read, by which is counted what a coordinate frees; nil for all that has not
    ///     left.
    /// - Throws: `BudgetError` where even the minimum widths cost more; `ScoreError`.
    public func masks(
        keeping scores: Scores, remaining: Double, perCost: Bool = false, members: UnitMembers? = nil,
        at masks: Masks? = nil
    ) throws -> Masks {
        try scores.check()
        let prices = prices(of: scores, perCost: perCost, at: masks)
        var units = partition.units(of: scores, prices: prices)
        if let members, members != units.members { units = partition.units(members, scores: scores, prices: prices) }
        if allocation == .layerAdaptive { adaptScores(of: &units, prices) }
        let allowed = allowed(at: remaining)
        switch (units.members, units.competition, allocation) {
        case (.singles, .all, .uniform), (.singles, .all, .erdosRenyi), (.singles, .all, .ratios):
            return try singles(units, densities: siteDensities(remaining), share: remaining)
        case (.singles, _, _): return try singles(units, share: remaining)
        case (.lists(let lists), _, .global), (.lists(let lists), _, .layerAdaptive):
            return try greedy(units, lists, allowed)
        case (.lists(let lists), _, _): return try uniform(units, lists, allowed)
        }
    }
}

/// Why what leaves cannot be taken where it was asked for.
public enum AllocationError: Error, CustomStringConvertible {
    case notForChannels(Allocation)
    case notForFamilies(Allocation)

    public var description: String {
        switch self {
        case .notForChannels(let allocation):
            "allocation '\(allocation.rawValue)' is for granularities of weights, expected global or uniform"
        case .notForFamilies(let allocation):
            "allocation '\(allocation.rawValue)' cannot be had where axes leave together, expected global"
        }
    }
}
