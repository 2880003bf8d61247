import Layers

/// In which order the channels of one axis leave so that what belongs together on it stays equally full.
///
/// The fullest part gives a channel next: of the parts into which normalisations that see the axis alone divide it,
/// within that of those that the normalisations of concatenations cut it into as well, the weakest channel. Where as
/// many channels are left as the parts can share equally, all have as many. Attention heads leave whole, those that
/// miss channels already first.
struct LeavingOrder {
    /// Channels by their numbers within the present width, with how many there were.
    private struct Stretch {
        let originalWidth: Int
        var channels: [Int]
        var fullness: Double { Double(channels.count) / Double(originalWidth) }
    }
    private struct Part {
        var stretches: [Stretch]
        var count: Int { stretches.reduce(0) { $0 + $1.channels.count } }
        var fullness: Double { Double(count) / Double(stretches.reduce(0) { $0 + $1.originalWidth }) }
    }
    private let axis: ChannelLevels.Axis
    private let parts: [Part]

    init(_ axis: ChannelLevels.Axis, normalizations: [any ChannelNormalization]) {
        self.axis = axis
        let group = axis.group
        var (own, all) = (Set([group.originalWidth]), Set([group.originalWidth]))
        for norm in normalizations where norm.groupCount > 1 {
            let run = norm.axis.originalWidth / norm.groupCount
            var offset = 0
            for member in norm.axis.groups {
                defer { offset += member.originalWidth }
                guard member === group else { continue }
                let ends = stride(from: (offset / run + 1) * run - offset, to: group.originalWidth, by: run)
                all.formUnion(ends)
                if norm.axis.groups.count == 1 { own.formUnion(ends) }
            }
        }
        var (start, channel) = (0, 0)
        var parts: [Part] = []
        var stretches: [Stretch] = []
        for end in all.sorted() {
            let first = channel
            while channel < group.width && group.kept[channel] < end { channel += 1 }
            stretches.append(Stretch(originalWidth: end - start, channels: Array(first..<channel)))
            start = end
            if own.contains(end) {
                parts.append(Part(stretches: stretches))
                stretches = []
            }
        }
        self.parts = parts
    }

    /// All channels of the axis, by their numbers within its width, the first to leave first.
    ///
    /// - Parameter scores: one a channel.
    func channels(by scores: [Double]) -> [Int] {
        axis.step > 1 ? wholeSteps(scores) : fullestFirst(scores)
    }

    private func fullestFirst(_ scores: [Double]) -> [Int] {
        var parts = parts
        for part in parts.indices {
            for stretch in parts[part].stretches.indices {
                // The weakest last, where it is quickly taken.
                parts[part].stretches[stretch].channels.sort { (scores[$0], $0) > (scores[$1], $1) }
            }
        }
        func weakest(_ stretch: Stretch) -> (Double, Int) {
            stretch.channels.last.map { (scores[$0], $0) } ?? (.infinity, .max)
        }
        /// The fullest of a part's stretches, the one with the weakest channel of equals.
        func fullest(_ part: Part) -> Int {
            part.stretches.indices.reduce(0) { best, index in
                let (a, b) = (part.stretches[index], part.stretches[best])
                let isFuller = a.fullness == b.fullness ? weakest(a) < weakest(b) : a.fullness > b.fullness
                return isFuller ? index : best
            }
        }
        var order: [Int] = []
        for _ in 0..<axis.group.width {
            var best: (part: Int, stretch: Int)?
            for (index, part) in parts.enumerated() where part.count > 0 {
                let stretch = fullest(part)
                guard let current = best else {
                    best = (index, stretch)
                    continue
                }
                let other = parts[current.part]
                let isFuller =
                    part.fullness == other.fullness
                    ? weakest(part.stretches[stretch]) < weakest(other.stretches[current.stretch])
                    : part.fullness > other.fullness
                if isFuller { best = (index, stretch) }
            }
            if let best { order.append(parts[best.part].stretches[best.stretch].channels.removeLast()) }
        }
        return order
    }

    private func wholeSteps(_ scores: [Double]) -> [Int] {
        let steps = Dictionary(grouping: 0..<axis.group.width) { axis.group.kept[$0] / axis.step }
        func key(_ channels: [Int]) -> (Int, Double, Int) {
            (channels.count == axis.step ? 1 : 0, channels.reduce(0) { $0 + scores[$1] }, channels[0])
        }
        return steps.values.sorted { key($0) < key($1) }.flatMap { $0 }
    }
}
