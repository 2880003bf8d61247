import Layers

/// Granularity `regular` for one network: through which widths each family of axes may shrink.
///
/// A family at level k of s keeps k/s of every stretch, so that all groups of all normalisations stay equal
/// (see `NormalizationFamily`). Of these levels it uses those where the width of each of its axes that started at least
/// `multiple` wide is a multiple of that number; where no level is of that kind (and leaves the least width), equal
/// groups are all it keeps to. A family that is not at a legal level to begin with, as its width is no multiple or an
/// earlier pruning left unequal groups, is brought to the next one whatever the scores say.
struct RegularPartition: Partition {
    let minimumWidths: [Int]
    let isCoarse = true
    private struct Path {
        let family: NormalizationFamily
        /// Descending; the family ends at one of these.
        let levels: [Int]
    }
    private let paths: [Path]
    private let space: PruningSpace

    /// Axes that leave together, by number.
    var families: [[Int]] { paths.map { $0.family.axes.map(\.group) } }

    /// - Parameter minimumWidths: of each axis, what has to stay.
    /// - Throws: `GranularityError` where equal groups would leave less.
    init(_ space: PruningSpace, multiple: Int, minimumWidths: [Int], normalizations: [any ChannelNormalization]) throws
    {
        self.space = space
        self.minimumWidths = minimumWidths
        let groups = space.groups
        paths = try NormalizationFamily.all(of: groups, normalizations: normalizations).map { family in
            guard family.isPrunable else { return Path(family: family, levels: []) }
            let highest =
                family.axes.flatMap(\.stretches).map { $0.channels.count * family.parts / $0.originalWidth }
                .min() ?? 0
            func width(_ axis: NormalizationFamily.Axis, at level: Int) -> Int {
                axis.originalWidth / family.parts * level
            }
            if let axis = family.axes.first(where: { width($0, at: highest) < minimumWidths[$0.group] }) {
                throw GranularityError.unequalGroups(
                    axis: groups[axis.group].name, width: groups[axis.group].width, left: width(axis, at: highest),
                    minimum: minimumWidths[axis.group])
            }
            let equal = (1...highest).reversed().filter { level in
                family.axes.allSatisfy { width($0, at: level) >= minimumWidths[$0.group] }
            }
            let multiples = equal.filter { level in
                family.axes.allSatisfy { $0.originalWidth < multiple || width($0, at: level) % multiple == 0 }
            }
            return Path(family: family, levels: multiples.isEmpty ? equal : multiples)
        }
    }

    /// The weakest channels of every stretch, from level to level.
    func units(of scores: Scores, prices: [Double]) -> Units {
        let found = paths.map { units($0, scores, prices) }
        return Units(
            members: .lists(found.flatMap { $0.map(\.coordinates) }), scores: found.flatMap { $0.map(\.score) },
            mustLeave: found.flatMap { $0.map(\.mustLeave) })
    }

    private func units(
        _ path: Path, _ scores: Scores, _ prices: [Double]
    ) -> [(coordinates: [Int], score: Double, mustLeave: Bool)] {
        let family = path.family
        // Weakest first, by stretch.
        var left = family.axes.map { axis in
            let first = space.ranges[axis.group].lowerBound
            return axis.stretches.map { stretch in
                stretch.channels.map { first + $0 }.sorted { (scores.values[$0], $0) < (scores.values[$1], $1) }[...]
            }
        }
        var units: [(coordinates: [Int], score: Double, mustLeave: Bool)] = []
        for level in path.levels {
            var coordinates: [Int] = []
            for (number, axis) in family.axes.enumerated() {
                for (index, stretch) in axis.stretches.enumerated() {
                    let surplus = left[number][index].count - stretch.originalWidth / family.parts * level
                    coordinates += left[number][index].prefix(surplus)
                    left[number][index] = left[number][index].dropFirst(surplus)
                }
            }
            guard !coordinates.isEmpty else { continue }
            let (score, mustLeave) = Units.worth(of: coordinates, scores, prices)
            // Later units hold stronger channels; rounding of the means must not turn them round.
            units.append(
                (
                    coordinates.sorted(), max(score, units.last?.score ?? score),
                    mustLeave || level == path.levels.first
                ))
        }
        return units
    }

    func unreachable(asked: Double, minimum: Double, quantity: String, widths: [Int]) -> BudgetError {
        .unreachableRegularly(
            asked: asked, minimum: minimum, quantity: quantity, whole: zip(widths, space.widths).count { $0 == $1 },
            count: widths.count)
    }
}
