import Layers

/// Axes that group normalisations tie together: all that meet in one normalisation, directly or through others.
///
/// A group of a normalisation covers a stretch of an axis, or where it straddles the seam of a concatenation a stretch
/// of either. Cut at all their ends, the axes of a family fall into stretches whose widths have a greatest common
/// divisor s. **If every stretch of every axis keeps the fraction k/s of its channels, for one k, then each
/// normalisation keeps as many channels in each of its groups**, whatever the concatenations: a group is a union of
/// stretches, and groups of one normalisation are equally wide. Since channels keep their order, plain group
/// normalisation with the original number of groups then computes what the masked network computed.
struct NormalizationFamily {
    struct Axis {
        /// The group's number among the prunable ones.
        let group: Int
        let originalWidth: Int
        /// Channels left of each stretch, by their numbers within the present width.
        let stretches: [(originalWidth: Int, channels: [Int])]
    }
    let axes: [Axis]
    /// Into how many equal parts every stretch can be cut: s.
    let parts: Int
    /// False where an axis of the model's own input or output is normalised too.
    let isPrunable: Bool

    /// The families of a network in order of their first group. An axis that no normalisation sees is one of its own.
    ///
    /// Attention heads are stretches as well, so that they stay equally wide.
    static func all(of groups: [PrunableGroup], normalizations: [any ChannelNormalization]) -> [NormalizationFamily] {
        var ends: [ObjectIdentifier: Set<Int>] = [:]
        var families = DisjointSets<ObjectIdentifier>()
        var fixed: Set<ObjectIdentifier> = []
        for group in groups {
            let (axis, id) = (group.axis, ObjectIdentifier(group.axis))
            families.insert(id)
            let run = axis.headWidth > 1 ? axis.headWidth : axis.originalWidth
            ends[id] = Set(stride(from: run, through: axis.originalWidth, by: run))
        }
        // One group covers everything: it is equal to itself however wide.
        for norm in normalizations where norm.groupCount > 1 {
            let run = norm.axis.originalWidth / norm.groupCount
            var offset = 0
            for axis in norm.axis.groups {
                let id = ObjectIdentifier(axis)
                families.insert(id)
                families.unite(id, ObjectIdentifier(norm.axis.groups[0]))
                if !axis.isPrunable { fixed.insert(id) }
                let first = (offset / run + 1) * run - offset
                ends[id, default: []].formUnion(stride(from: first, to: axis.originalWidth, by: run))
                offset += axis.originalWidth
            }
        }
        let frozen = Set(fixed.map { families.representative(of: $0) })
        var numbers: [ObjectIdentifier: [Int]] = [:]
        var order: [ObjectIdentifier] = []
        for (number, group) in groups.enumerated() {
            let family = families.representative(of: ObjectIdentifier(group.axis))
            if numbers[family] == nil { order.append(family) }
            numbers[family, default: []].append(number)
        }
        return order.map { family in
            let axes = (numbers[family] ?? []).map { number in
                axis(groups[number].axis, number: number, ends: ends[ObjectIdentifier(groups[number].axis)] ?? [])
            }
            let widths = axes.flatMap { $0.stretches.map(\.originalWidth) }
            return NormalizationFamily(
                axes: axes, parts: widths.reduce(0, Self.greatestCommonDivisor), isPrunable: !frozen.contains(family))
        }
    }

    private static func axis(_ axis: ChannelGroup, number: Int, ends: Set<Int>) -> Axis {
        var start = 0
        var channel = 0
        let stretches = ends.sorted().map { end in
            let first = channel
            while channel < axis.width && axis.kept[channel] < end { channel += 1 }
            defer { start = end }
            return (originalWidth: end - start, channels: Array(first..<channel))
        }
        return Axis(group: number, originalWidth: axis.originalWidth, stretches: stretches)
    }

    private static func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
        b == 0 ? a : greatestCommonDivisor(b, a % b)
    }
}

/// Sets that are only ever united.
private struct DisjointSets<Element: Hashable> {
    private var parents: [Element: Element] = [:]

    mutating func insert(_ element: Element) {
        if parents[element] == nil { parents[element] = element }
    }

    func representative(of element: Element) -> Element {
        var current = element
        while let parent = parents[current], parent != current { current = parent }
        return current
    }

    mutating func unite(_ a: Element, _ b: Element) { parents[representative(of: a)] = representative(of: b) }
}
