/// Choosing among units of several coordinates.
extension Selection {
    /// Lowest scores first, over all sites at once, until every limit holds.
    func greedy(_ units: Units, _ lists: [[Int]], _ allowed: [Double]) throws -> Masks {
        let order = units.order ?? ascending(Array(lists.indices), units)
        let shares = lists.map(shares)
        var masks = Masks(space)
        var widths = space.widths
        var removed: [Int] = []
        for index in order {
            if fits(widths, allowed) && !units.mustLeave[index] { break }
            guard shares[index].allSatisfy({ widths[$0.site] - $0.count >= partition.minimumWidths[$0.site] }) else {
                continue
            }
            for coordinate in lists[index] { masks.values[coordinate] = 0 }
            for share in shares[index] { widths[share.site] -= share.count }
            removed.append(index)
        }
        try checkReached(widths, allowed)
        if partition.isCoarse { restoreWhatFits(removed, units, lists, shares, to: &masks, widths: widths, allowed) }
        return masks
    }

    /// Units by their sites, what leaves first at the front.
    private func unitsBySite(_ units: Units, _ lists: [[Int]]) -> [Int: [Int]] {
        Dictionary(grouping: lists.indices) { space.site(of: lists[$0][0]) }.mapValues { ascending($0, units) }
    }

    /// What is left, with the width of each site, where the lowest of each have left but for its share at a density.
    func lowestOfSites(_ units: Units, _ lists: [[Int]]) -> (_ density: Double) -> (masks: Masks, widths: [Int]) {
        let bySite = unitsBySite(units, lists)
        return { density in
            var masks = Masks(space)
            var widths = space.widths
            for (site, order) in bySite {
                let share = self.share(of: site, at: density) * Double(widths[site])
                // A ratio is met as nearly as it can be; a share of all is not exceeded.
                let target = max(
                    partition.minimumWidths[site], Int(ratios == nil ? share.rounded(.down) : share.rounded()))
                for index in order {
                    let left = widths[site] - lists[index].count
                    guard units.mustLeave[index] || left >= target else { break }
                    guard left >= partition.minimumWidths[site] else { break }
                    for coordinate in lists[index] { masks.values[coordinate] = 0 }
                    widths[site] = left
                }
            }
            return (masks, widths)
        }
    }

    /// The lowest of each site, the same share of every one or in proportion to what ratios take away: as little as
    /// every limit allows. Sites as wide as one another change at the same share, all at once, and far past the limit:
    /// so one more unit of each site stays where it fits, those of the lowest shares first.
    func uniform(_ units: Units, _ lists: [[Int]], _ allowed: [Double]) throws -> Masks {
        let bySite = unitsBySite(units, lists)
        let masks = lowestOfSites(units, lists)
        try checkReached(masks(0).widths, allowed)
        var (low, high) = (0.0, 1.0)
        for _ in 0..<50 {
            let middle = 0.5 * (low + high)
            if fits(masks(middle).widths, allowed) { low = middle } else { high = middle }
        }
        var (kept, widths) = masks(low)
        // The best of what has left of each site, with the share that it would bring the site to.
        let waiting = bySite.compactMap { site, order -> (share: Double, site: Int, index: Int)? in
            guard let index = order.last(where: { kept.values[lists[$0][0]] == 0 }), !units.mustLeave[index] else {
                return nil
            }
            return (Double(widths[site] + lists[index].count) / Double(space.widths[site]), site, index)
        }
        for (_, site, index) in waiting.sorted(by: { ($0.share, $0.site) < ($1.share, $1.site) }) {
            var wider = widths
            wider[site] += lists[index].count
            guard fits(wider, allowed), partition.allows(wider) else { continue }
            widths = wider
            for coordinate in lists[index] { kept.values[coordinate] = 1 }
        }
        return kept
    }

    /// What must leave first, then by scores. Ties are broken by position,
    /// so that the outcome never depends on a sort's internals.
    private func ascending(_ indices: [Int], _ units: Units) -> [Int] {
        func key(_ index: Int) -> Double { units.mustLeave[index] ? -.infinity : units.scores[index] }
        return indices.sorted { (key($0), $0) < (key($1), $1) }
    }

    /// How many coordinates of which sites a unit has.
    private func shares(of coordinates: [Int]) -> [(site: Int, count: Int)] {
        var shares: [(site: Int, count: Int)] = []
        for coordinate in coordinates {
            if let last = shares.last, space.ranges[last.site].contains(coordinate) {
                shares[shares.count - 1].count += 1
            } else {
                shares.append((space.site(of: coordinate), 1))
            }
        }
        return shares
    }

    func checkReached(_ widths: [Int], _ allowed: [Double]) throws {
        for (index, cost) in costs.enumerated() {
            let current = cost.value(widths)
            guard current > allowed[index] * (1 + 1e-12) else { continue }
            throw unreachable(
                index, asked: allowed[index] / fullCosts[index], minimum: current / fullCosts[index], widths: widths)
        }
    }

    /// The error for a limit, by its number, that allows less than the least that can be left.
    func unreachable(_ index: Int, asked: Double, minimum: Double, widths: [Int]) -> BudgetError {
        let limit = budget.limits[index]
        let error = partition.unreachable(
            asked: min(asked, limit.remaining), minimum: minimum, quantity: limit.quantity.rawValue, widths: widths)
        return limit.isShareOfCost ? error : .unreachableAmount(error, limit: limit)
    }

    /// These units are large, and the last one may free far more than was asked: those that still fit come back, the
    /// best first, each site's in the order opposite to that in which they left.
    private func restoreWhatFits(
        _ removed: [Int], _ units: Units, _ lists: [[Int]], _ shares: [[(site: Int, count: Int)]],
        to masks: inout Masks, widths: [Int], _ allowed: [Double]
    ) {
        var widths = widths
        var blocked: Set<Int> = []
        for index in removed.reversed() where !units.mustLeave[index] {
            guard blocked.isDisjoint(with: shares[index].map(\.site)) else { continue }
            var wider = widths
            for share in shares[index] { wider[share.site] += share.count }
            guard fits(wider, allowed), partition.allows(wider) else {
                blocked.formUnion(shares[index].map(\.site))
                continue
            }
            widths = wider
            for coordinate in lists[index] { masks.values[coordinate] = 1 }
        }
    }
}
