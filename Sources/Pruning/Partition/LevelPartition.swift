import Layers

/// Granularity `level` for one network: through which widths each level may shrink.
///
/// A unit brings a level to the next lower width that it can have: it takes the weakest channels of every axis of the
/// level at once, from each in `LeavingOrder`, so that every normalisation of one axis alone is, at the widths left,
/// the plain one that the masked network computed. Which widths levels can have together is the network's to say
/// (`ChannelLevels.isLegal`): units leave in an order in which every step is legal. A level that is at no such width
/// to begin with, as an earlier pruning left its axes unequal, is brought to the highest that all of them can have.
struct LevelPartition: Partition {
    let minimumWidths: [Int]
    let isCoarse = true
    private let space: PruningSpace
    private let levels: [Level]
    private let isLegal: ([Int]) -> Bool
    private let followers: [FollowingCost.Follower]

    private struct Level {
        let name: String
        /// The site of each axis; the first is as wide as the level.
        let sites: [Int]
        let axes: [ChannelLevels.Axis]
        let orders: [LeavingOrder]
        /// Descending.
        let widths: [Int]
        /// Whether all axes are as the first of the widths says.
        let isAtWidth: Bool
    }

    /// A unit with what its level is wide once it has left.
    private struct Step {
        let unit: Int
        let width: Int
        let score: Double
        let mustLeave: Bool
    }

    var families: [[Int]] {
        let tied = Set(levels.flatMap(\.sites))
        return levels.map(\.sites) + space.sites.indices.filter { !tied.contains($0) }.map { [$0] }
    }

    /// - Parameters:
    ///   - levels: the network's.
    ///   - minimumWidths: of each axis, what has to stay.
    /// - Throws: `GranularityError` where what is left of an axis is less than any width that its level can have.
    init(
        _ space: PruningSpace, levels: ChannelLevels, minimumWidths: [Int], normalizations: [any ChannelNormalization]
    ) throws {
        self.space = space
        self.minimumWidths = minimumWidths
        isLegal = levels.isLegal
        var sites: [ObjectIdentifier: Int] = [:]
        for (site, group) in space.groups.enumerated() { sites[ObjectIdentifier(group.axis)] = site }
        func site(_ group: ChannelGroup) -> Int {
            guard let site = sites[ObjectIdentifier(group)] else {
                preconditionFailure("'\(group.name)' is an axis of a level and none of the network")
            }
            return site
        }
        self.levels = try levels.levels.map { level in
            let numbers = level.axes.map { site($0.group) }
            let widths = level.widths.filter { width in
                zip(level.axes, numbers).allSatisfy {
                    $0.width(at: width) <= $0.wholeWidth && $0.width(at: width) >= minimumWidths[$1]
                } && level.followers.allSatisfy { $0.group.width >= $0.factor * width }
            }
            guard let highest = widths.first else { throw Self.noWidth(of: level, numbers, minimumWidths) }
            return Level(
                name: level.name, sites: numbers, axes: level.axes,
                orders: level.axes.map { LeavingOrder($0, normalizations: normalizations) }, widths: widths,
                isAtWidth: level.axes.allSatisfy { $0.group.width == $0.width(at: highest) })
        }
        followers = levels.levels.flatMap { level in
            level.followers.map {
                FollowingCost.Follower(site: site($0.group), leader: site(level.axes[0].group), factor: $0.factor)
            }
        }
        let highest = self.levels.map { $0.widths[0] }
        guard isLegal(highest) else { throw GranularityError.noLevelWidths(highest) }
    }

    /// Names the axis that has least of what the lowest width of its level asks for.
    private static func noWidth(
        of level: ChannelLevels.Level, _ sites: [Int], _ minimumWidths: [Int]
    ) -> GranularityError {
        let fits = { (width: Int) in
            zip(level.axes, sites).allSatisfy { $0.width(at: width) >= minimumWidths[$1] }
        }
        let lowest = level.widths.last(where: fits) ?? level.widths[0]
        let axes =
            level.axes.map { (name: $0.group.name, left: $0.wholeWidth, needed: $0.width(at: lowest)) }
            + level.followers.map { (name: $0.group.name, left: $0.group.width, needed: $0.factor * lowest) }
        let scarce = axes.min { $0.left - $0.needed < $1.left - $1.needed } ?? axes[0]
        return .noLevelWidth(level: level.name, axis: scarce.name, left: scarce.left, needed: scarce.needed)
    }

    // MARK: units

    /// The weakest channels of every axis of a level, from width to width.
    func units(of scores: Scores, prices: [Double]) -> Units {
        let lists = levels.flatMap { level -> [[Int]] in
            let leaving = zip(level.sites, level.orders).map { site, order in
                order.channels(by: scores[site]).map { $0 + space.ranges[site].lowerBound }
            }
            var done = level.sites.map { _ in 0 }
            return level.widths.dropFirst(level.isAtWidth ? 1 : 0).map { width in
                level.axes.indices.flatMap { axis in
                    let end = level.axes[axis].group.width - level.axes[axis].width(at: width)
                    defer { done[axis] = end }
                    return leaving[axis][done[axis]..<end]
                }.sorted()
            }
        }
        return units(.lists(lists), scores: scores, prices: prices)
    }

    func units(_ members: UnitMembers, scores: Scores, prices: [Double]) -> Units {
        guard case .lists(let lists) = members else { return Units(members, scores: scores, prices: prices) }
        var steps = levels.map { _ in [Step]() }
        var worths: [(score: Double, mustLeave: Bool)] = []
        for (unit, list) in lists.enumerated() {
            let site = space.site(of: list[0])
            var (score, mustLeave) = Units.worth(of: list, scores, prices)
            if let number = levels.firstIndex(where: { $0.sites.contains(site) }) {
                let level = levels[number]
                let first = space.ranges[level.sites[0]]
                let width = (steps[number].last?.width ?? first.count) - list.count { first.contains($0) }
                mustLeave = mustLeave || (steps[number].isEmpty && !level.isAtWidth)
                // Later units hold stronger channels; rounding of the means must not turn them round.
                score = max(score, steps[number].last?.score ?? score)
                steps[number].append(Step(unit: unit, width: width, score: score, mustLeave: mustLeave))
            }
            worths.append((score, mustLeave))
        }
        return Units(
            members: members, scores: worths.map(\.score), mustLeave: worths.map(\.mustLeave), order: order(of: steps))
    }

    /// What must leave first, then the lowest of the levels' next steps, of those that leave legal widths.
    private func order(of steps: [[Step]]) -> [Int] {
        // What brings a level to a width at all comes before anything is asked of the widths.
        var order = zip(levels, steps).compactMap { $0.isAtWidth ? nil : $1.first?.unit }
        var next = levels.map { $0.isAtWidth ? 0 : 1 }
        var widths = levels.map { $0.widths[0] }
        while true {
            let candidates = levels.indices.filter { level in
                guard next[level] < steps[level].count else { return false }
                var narrower = widths
                narrower[level] = steps[level][next[level]].width
                return isLegal(narrower)
            }
            func key(_ level: Int) -> (Double, Int) {
                let step = steps[level][next[level]]
                return (step.mustLeave ? -.infinity : step.score, step.unit)
            }
            guard let level = candidates.min(by: { key($0) < key($1) }) else { return order }
            order.append(steps[level][next[level]].unit)
            widths[level] = steps[level][next[level]].width
            next[level] += 1
        }
    }

    // MARK: what widths say

    func allows(_ widths: [Int]) -> Bool { isLegal(levels.map { widths[$0.sites[0]] }) }

    func counted(_ cost: any Cost) -> any Cost {
        followers.isEmpty ? cost : FollowingCost(base: cost, followers: followers)
    }

    func unreachable(asked: Double, minimum: Double, quantity: String, widths: [Int]) -> BudgetError {
        .unreachableByLevels(
            asked: asked, minimum: minimum, quantity: quantity,
            widths: levels.map { "\(space.widths[$0.sites[0]]) in \($0.name)" },
            lowest: levels.map { widths[$0.sites[0]] })
    }
}
