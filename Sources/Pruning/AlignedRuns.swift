import Layers

/// Divides one group's channels so that its width stays a multiple of a number: the weakest leave together, as many at
/// first as bring the width to a multiple. They are taken from the group's own normalisation groups (or attention heads)
/// in turn, so that those stay equally wide to within one channel and none is emptied.
///
/// Kernels work on vectors of channels, so a width between two multiples of half a vector's lanes (8 with AVX-512) takes
/// the time of the next multiple. Unlike `RegularPlan` this promises nothing for concatenations.
struct AlignedRuns {
    let multiple: Int
    let group: Int
    let axis: ChannelGroup
    /// Original channels of a normalisation group or head.
    private let partWidth: Int

    init(multiple: Int, group: Int, axis: ChannelGroup, normalizations: [GroupNorm]) {
        self.multiple = multiple
        self.group = group
        self.axis = axis
        let own = normalizations.first { $0.axis.groups.count == 1 && $0.axis.groups[0] === axis }
        partWidth = axis.headWidth > 1 ? axis.headWidth : axis.originalWidth / (own?.groupCount ?? 1)
    }

    /// Weakest first.
    func units(scores: [[Double]], prices: [Double]) -> [PruningUnit] {
        let key = { (channel: Int) in PruningUnit.sortable(scores[group][channel]) }
        func ascending(_ channels: [Int]) -> [Int] {
            channels.sorted { key($0) != key($1) ? key($0) < key($1) : $0 < $1 }
        }
        // The r-th weakest of every part come before the (r + 1)-th weakest of any.
        let parts = Dictionary(grouping: 0..<axis.width) { axis.kept[$0] / partWidth }.values.map(ascending)
        let ranked = (0..<(parts.map(\.count).max() ?? 0)).flatMap { rank in
            ascending(parts.compactMap { rank < $0.count ? $0[rank] : nil })
        }
        var units: [PruningUnit] = []
        var start = 0
        while start < ranked.count {
            let end = start == 0 && axis.width % multiple != 0 ? axis.width % multiple : start + multiple
            let channels = ranked[start..<min(end, ranked.count)].sorted()
            var unit = PruningUnit(
                [PruningUnit.Part(group: group, channels: channels)], scores: scores, prices: prices)
            // Parts in turn are not quite the order of scores, which the units have to keep to.
            if let last = units.last { unit.score = max(unit.score, last.score) }
            units.append(unit)
            start = end
        }
        return units
    }
}
