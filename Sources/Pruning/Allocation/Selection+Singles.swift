/// Choosing among tens of millions of single weights: by thresholds, not one by one.
extension Selection {
    /// Keeps the share `share` of the highest, all together or within each class.
    ///
    /// - Throws: `BudgetError` where one weight of each layer is more.
    func singles(_ units: Units, share: Double) throws -> Masks {
        var masks = Masks(space)
        let total = Self.kept(of: space.count, share)
        let best = bestOfSites(units.scores)
        switch units.competition {
        case .all:
            try checkReached(best.count, total)
            let candidates = best.isEmpty ? Array(0..<space.count) : (0..<space.count).filter { !best.contains($0) }
            remove(lowest: space.count - total, of: candidates, units, in: &masks)
        case .withinClasses(let classes):
            let densities = siteDensities(share)
            try keep(total, of: Self.members(of: classes), best, units, in: &masks) {
                Double($0.count) * (ratios == nil ? share : densities[space.site(of: $0[0])])
            }
        case .pattern(let classes, let keep, let of):
            // On the way of a gradual schedule the pattern keeps more of each class.
            let kept = min(of, max(keep, Int((share * Double(of) - 1e-6).rounded(.up))))
            for members in Self.members(of: classes) {
                remove(lowest: members.count - min(kept, members.count), of: members, units, in: &masks)
            }
        }
        return masks
    }

    /// Keeps in each site the share of its own of the highest, all together the share `share`.
    ///
    /// - Throws: `BudgetError` where one weight of each layer is more.
    func singles(_ units: Units, densities: [Double], share: Double) throws -> Masks {
        var masks = Masks(space)
        try keep(
            Self.kept(of: space.count, share), of: space.ranges.map(Array.init), bestOfSites(units.scores), units,
            in: &masks
        ) {
            densities[space.site(of: $0[0])] * Double($0.count)
        }
        return masks
    }

    /// The density of each site when all together have `remaining`.
    func siteDensities(_ remaining: Double) -> [Double] {
        if ratios != nil { return sharesBySite(remaining) }
        guard allocation == .erdosRenyi else { return space.sites.map { _ in remaining } }
        return ErdosRenyi.densities(of: space.shapes, density: remaining)
    }

    static func kept(of count: Int, _ share: Double) -> Int {
        Int((Double(count) * share * (1 + 1e-12)).rounded(.down))
    }

    func checkReached(_ minimum: Int, _ total: Int) throws {
        guard minimum > total else { return }
        let full = Double(max(space.count, 1))
        throw unreachable(0, asked: Double(total) / full, minimum: Double(minimum) / full, widths: space.widths)
    }

    /// Keeps `total` of all classes together, of each about as many as `quota` says, the highest.
    ///
    /// - Parameter best: of each layer the coordinate that stays whatever the quotas say.
    private func keep(
        _ total: Int, of classes: [[Int]], _ best: Set<Int>, _ units: Units, in masks: inout Masks,
        quota: ([Int]) -> Double
    ) throws {
        try checkReached(best.count, total)
        let classes = classes.filter { !$0.isEmpty }
        let quotas = Self.apportioned(
            classes.map(quota), total: total, minimum: classes.map { $0.count { best.contains($0) } },
            maximum: classes.map { $0.count { !units.mustLeave[$0] } })
        for (members, kept) in zip(classes, quotas) {
            remove(
                lowest: members.count - kept, of: members.filter { !best.contains($0) }, units, in: &masks)
        }
    }

    /// Takes away the `count` lowest of `candidates`, ties by position, and all that must leave.
    private func remove(lowest count: Int, of candidates: [Int], _ units: Units, in masks: inout Masks) {
        guard !candidates.isEmpty else { return }
        let scores = units.scores
        let threshold =
            count > 0 ? candidates.lazy.map { scores[$0] }.sorted()[min(count, candidates.count) - 1] : -.infinity
        var left = count
        // Below the threshold all; at it the first, until enough have left.
        for pass in 0...1 {
            for index in candidates {
                let isFound = pass == 0 ? scores[index] < threshold : scores[index] == threshold
                guard isFound, masks.values[index] != 0, left > 0 || units.mustLeave[index] else { continue }
                masks.values[index] = 0
                left -= 1
            }
        }
    }

    /// The best coordinate of each site, which stays so that no layer is emptied.
    private func bestOfSites(_ scores: [Double]) -> Set<Int> {
        Set(space.ranges.compactMap { range in range.max { (scores[$0], -$0) < (scores[$1], -$1) } })
    }

    /// The coordinates of each class, ascending.
    private static func members(of classes: [Int32]) -> [[Int]] {
        var members = [[Int]](repeating: [], count: Int(classes.max() ?? -1) + 1)
        for (index, number) in classes.enumerated() { members[Int(number)].append(index) }
        return members
    }

    /// Whole numbers near `quotas` that add up to `total`: the largest remainders are rounded up,
    /// and what a class cannot take goes to the next.
    ///
    /// - Precondition: the minimum of each class is at most its maximum.
    static func apportioned(_ quotas: [Double], total: Int, minimum: [Int], maximum: [Int]) -> [Int] {
        var kept = quotas.indices.map { min(max(Int(quotas[$0].rounded(.down)), minimum[$0]), maximum[$0]) }
        var missing = total - kept.reduce(0, +)
        let order = quotas.indices.sorted {
            let (a, b) = (quotas[$0] - Double(kept[$0]), quotas[$1] - Double(kept[$1]))
            return (-a, $0) < (-b, $1)
        }
        while missing != 0 {
            let before = missing
            for index in missing > 0 ? order : order.reversed() {
                if missing > 0, kept[index] < maximum[index] {
                    kept[index] += 1
                    missing -= 1
                } else if missing < 0, kept[index] > minimum[index] {
                    kept[index] -= 1
                    missing += 1
                }
            }
            if missing == before { break }
        }
        return kept
    }
}
