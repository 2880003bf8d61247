import Layers

/// Granularity `regular` for one network: through which widths each family of axes may shrink.
///
/// A family at level k of s keeps k/s of every stretch, so that all groups of all normalisations stay equal
/// (see `NormalizationFamily`). Of these levels it uses those where the width of each of its axes that started at least
/// `multiple` wide is a multiple of that number; where no level is of that kind (and leaves the least width), equal groups
/// are all it keeps to. A family that is not at a legal level to begin with, as its width is no multiple or an earlier
/// pruning left unequal groups, is brought to the next one whatever the scores say.
struct RegularPlan {
    private struct Path {
        let family: NormalizationFamily
        /// Descending; the family ends at one of these.
        let levels: [Int]
    }
    private let paths: [Path]

    /// Groups that leave together, by number.
    var families: [[Int]] { paths.map { $0.family.axes.map(\.group) } }

    /// - Parameter leastWidths: of each group, what has to stay.
    /// - Throws: `GranularityError` where equal groups would leave less.
    init(groups: [PrunableGroup], normalizations: [GroupNorm], multiple: Int, leastWidths: [Int]) throws {
        paths = try NormalizationFamily.all(of: groups, normalizations: normalizations).map { family in
            guard family.isPrunable else { return Path(family: family, levels: []) }
            let highest =
                family.axes.flatMap(\.stretches).map { $0.channels.count * family.parts / $0.originalWidth }
                .min() ?? 0
            func width(_ axis: NormalizationFamily.Axis, at level: Int) -> Int {
                axis.originalWidth / family.parts * level
            }
            if let axis = family.axes.first(where: { width($0, at: highest) < leastWidths[$0.group] }) {
                throw GranularityError.unequalGroups(
                    axis: groups[axis.group].name, width: groups[axis.group].width, left: width(axis, at: highest),
                    least: leastWidths[axis.group])
            }
            let equal = (1...highest).reversed().filter { level in
                family.axes.allSatisfy { width($0, at: level) >= leastWidths[$0.group] }
            }
            let multiples = equal.filter { level in
                family.axes.allSatisfy { $0.originalWidth < multiple || width($0, at: level) % multiple == 0 }
            }
            return Path(family: family, levels: multiples.isEmpty ? equal : multiples)
        }
    }

    /// What leaves at once: the weakest channels of every stretch, from level to level.
    func units(scores: [[Double]], prices: [Double]) -> [PruningUnit] { paths.flatMap { units($0, scores, prices) } }

    private func units(_ path: Path, _ scores: [[Double]], _ prices: [Double]) -> [PruningUnit] {
        let family = path.family
        // Weakest first, by stretch.
        var left = family.axes.map { axis in
            axis.stretches.map { stretch in
                let key = { (channel: Int) in PruningUnit.sortable(scores[axis.group][channel]) }
                return stretch.channels.sorted { key($0) != key($1) ? key($0) < key($1) : $0 < $1 }[...]
            }
        }
        var units: [PruningUnit] = []
        for level in path.levels {
            var parts: [PruningUnit.Part] = []
            for (number, axis) in family.axes.enumerated() {
                var channels: [Int] = []
                for (index, stretch) in axis.stretches.enumerated() {
                    let surplus = left[number][index].count - stretch.originalWidth / family.parts * level
                    channels += left[number][index].prefix(surplus)
                    left[number][index] = left[number][index].dropFirst(surplus)
                }
                if !channels.isEmpty { parts.append(PruningUnit.Part(group: axis.group, channels: channels.sorted())) }
            }
            guard !parts.isEmpty else { continue }
            var unit = PruningUnit(parts, scores: scores, prices: prices)
            if level == path.levels.first { unit.mustLeave = true }
            // Later units hold stronger channels; rounding of the means must not turn them round.
            if let last = units.last { unit.score = max(unit.score, last.score) }
            units.append(unit)
        }
        return units
    }
}

/// Why a granularity cannot be had for a network.
public enum GranularityError: Error, CustomStringConvertible {
    case unequalGroups(axis: String, width: Int, left: Int, least: Int)

    public var description: String {
        switch self {
        case .unequalGroups(let axis, let width, let left, let least):
            "granularity 'regular' would have to leave \(left) of the \(width) channels of '\(axis)' to make its unequal "
                + "normalisation groups equal, expected at least \(least): prune this model by 'channel', or one that was "
                + "not pruned that way"
        }
    }
}
