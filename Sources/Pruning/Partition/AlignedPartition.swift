import Layers

/// Widths stay multiples of a number: the weakest channels of an axis leave together, as many at first as bring the
/// width to a multiple. They are taken from the axis's own normalisation groups (or attention heads) in turn, so that
/// those stay equally wide to within one channel and none is emptied.
///
/// Kernels work on vectors of channels, so a width between two multiples of half a vector's lanes (8 with AVX-512)
/// takes the time of the next multiple. Unlike `RegularPartition` this promises nothing for concatenations.
struct AlignedPartition: Partition {
    let minimumWidths: [Int]
    let isCoarse = true
    private let axes: [Axis]

    private struct Axis {
        let coordinates: Range<Int>
        let group: ChannelGroup
        /// Original channels of a normalisation group or head.
        let partWidth: Int
    }
    private let multiple: Int

    init(_ space: PruningSpace, multiple: Int, minimumWidths: [Int], normalizations: [any ChannelNormalization]) {
        self.multiple = multiple
        self.minimumWidths = minimumWidths
        axes = zip(space.groups, space.ranges).map { group, range in
            let axis = group.axis
            let own = normalizations.first { $0.axis.groups.count == 1 && $0.axis.groups[0] === axis }
            return Axis(
                coordinates: range, group: axis,
                partWidth: axis.headWidth > 1 ? axis.headWidth : axis.originalWidth / (own?.groupCount ?? 1))
        }
    }

    func units(of scores: Scores, prices: [Double]) -> Units {
        let found = axes.map { units(of: $0, scores, prices) }
        return Units(
            members: .lists(found.flatMap { $0.map(\.coordinates) }), scores: found.flatMap { $0.map(\.score) },
            mustLeave: found.flatMap { $0.map(\.mustLeave) })
    }

    /// Weakest first.
    private func units(
        of axis: Axis, _ scores: Scores, _ prices: [Double]
    ) -> [(coordinates: [Int], score: Double, mustLeave: Bool)] {
        func ascending(_ coordinates: [Int]) -> [Int] {
            coordinates.sorted { (scores.values[$0], $0) < (scores.values[$1], $1) }
        }
        // The r-th weakest of every part come before the (r + 1)-th weakest of any.
        let first = axis.coordinates.lowerBound
        let parts = Dictionary(grouping: axis.coordinates) { axis.group.kept[$0 - first] / axis.partWidth }
            .values.map(ascending)
        let ranked = (0..<(parts.map(\.count).max() ?? 0)).flatMap { rank in
            ascending(parts.compactMap { rank < $0.count ? $0[rank] : nil })
        }
        var units: [(coordinates: [Int], score: Double, mustLeave: Bool)] = []
        var start = 0
        while start < ranked.count {
            let width = axis.coordinates.count
            let end = start == 0 && width % multiple != 0 ? width % multiple : start + multiple
            let coordinates = ranked[start..<min(end, ranked.count)].sorted()
            let (score, mustLeave) = Units.worth(of: coordinates, scores, prices)
            // Parts in turn are not quite the order of scores, which the units have to keep to.
            units.append((coordinates, max(score, units.last?.score ?? score), mustLeave))
            start = end
        }
        return units
    }
}
