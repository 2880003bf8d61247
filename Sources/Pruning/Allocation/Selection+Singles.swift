/// Choosing among tens of millions of single weights: by thresholds, not one by one.
extension Selection {
    /// Keeps the share `share` of the highest, all together or within each class.
    func singles(_ units: Units, share: Double) -> Masks {
        var masks = Masks(space)
        switch units.competition {
        case .all:
            let protected = bestOfSites(units.scores)
            remove(
                lowest: space.count - Self.kept(of: space.count, share),
                of: (0..<space.count).filter { !protected.contains($0) }, units, in: &masks)
        case .withinClasses(let classes):
            let members = Self.members(of: classes)
            for (index, kept) in Self.apportioned(members.map(\.count), share: share).enumerated() {
                remove(lowest: members[index].count - kept, of: members[index], units, in: &masks)
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

    /// Keeps in each site the share of its own of the highest.
    func singles(_ units: Units, densities: [Double]) -> Masks {
        var masks = Masks(space)
        for (range, density) in zip(space.ranges, densities) where !range.isEmpty {
            let kept = max(1, Self.kept(of: range.count, density))
            remove(lowest: range.count - kept, of: Array(range), units, in: &masks)
        }
        return masks
    }

    /// The density of each site when all together have `remaining`.
    func siteDensities(_ remaining: Double) -> [Double] {
        guard allocation == .erdosRenyi else { return space.sites.map { _ in remaining } }
        return ErdosRenyi.densities(of: space.shapes, density: remaining)
    }

    private static func kept(of count: Int, _ share: Double) -> Int {
        Int((Double(count) * share * (1 + 1e-12)).rounded(.down))
    }

    /// Takes away the `count` lowest of `candidates`, ties by position, and all that must leave.
    private func remove(
        lowest count: Int, of candidates: [Int], _ units: Units, in masks: inout Masks
    ) {
        guard count > 0, !candidates.isEmpty else { return }
        let scores = units.scores
        let sorted = candidates.lazy.map { scores[$0] }.sorted()
        let threshold = sorted[min(count, sorted.count) - 1]
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

    /// How many of each class stay, so that all together keep `share` to within one: the classes with the largest
    /// remainders round up.
    private static func apportioned(_ counts: [Int], share: Double) -> [Int] {
        let exact = counts.map { Double($0) * share }
        var kept = exact.map { Int($0.rounded(.down)) }
        let missing = Self.kept(of: counts.reduce(0, +), share) - kept.reduce(0, +)
        let order = counts.indices.sorted {
            let (a, b) = (exact[$0] - Double(kept[$0]), exact[$1] - Double(kept[$1]))
            return (-a, $0) < (-b, $1)
        }
        for index in order.prefix(max(0, missing)) { kept[index] += 1 }
        return kept
    }
}

extension PruningSpace {
    /// The dimensions of each site: of a weight its shape, of an axis its width.
    var shapes: [[Int]] {
        sites.map { site in
            switch site {
            case .axis(let group): [group.width]
            case .weight(let parameter, _): parameter.variable.shape
            }
        }
    }
}
