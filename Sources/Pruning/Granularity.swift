import Layers

/// What leaves at once.
public enum Granularity: Codable, Sendable, Equatable {
    /// One channel; normalisation groups may become unequal ("ragged").
    case channel
    /// Runs of this many neighbouring channels share a mask.
    case block(Int)
    /// Whole attention heads; single channels elsewhere.
    case head
    /// As many channels from each normalisation group, and widths that stay a multiple of this number.
    case regular(multiple: Int)
}

/// Channels of one group that leave together, with the priority of their staying.
public struct PruningUnit {
    public let group: Int
    /// Channel numbers within the group's present width.
    public let channels: [Int]
    /// The larger, the longer it stays.
    public let score: Double
}

extension Granularity {
    /// Divides a group's channels into units.
    ///
    /// - Parameters:
    ///   - scores: one a channel, the larger the more it should stay.
    ///   - normalizationGroups: how many equal runs of the original axis are normalised together.
    func units(of group: PrunableGroup, number: Int, scores: [Double], normalizationGroups: Int) -> [PruningUnit] {
        let axis = group.axis
        func unit(_ channels: [Int]) -> PruningUnit {
            let mean = channels.reduce(0) { $0 + scores[$1] } / Double(channels.count)
            return PruningUnit(group: number, channels: channels, score: mean)
        }
        switch self {
        case .channel:
            return (0..<group.width).map { unit([$0]) }
        case .block(let size):
            return runs { axis.kept[$0] / size }.map(unit)
        case .head:
            return runs { axis.kept[$0] / axis.headWidth }.map(unit)
        case .regular(let multiple):
            return regularUnits(of: group, scores: scores, parts: normalizationGroups, multiple: multiple).map(unit)
        }

        func runs(_ key: (Int) -> Int) -> [[Int]] {
            var result: [[Int]] = []
            var last: Int?
            for channel in 0..<group.width {
                let current = key(channel)
                if current == last { result[result.count - 1].append(channel) } else { result.append([channel]) }
                last = current
            }
            return result
        }
    }

    /// The r-th weakest channels of every normalisation group make up unit r, as many from each as keeps the width a
    /// multiple of `multiple`.
    private func regularUnits(of group: PrunableGroup, scores: [Double], parts: Int, multiple: Int) -> [[Int]] {
        let axis = group.axis
        let partWidth = max(1, axis.originalWidth / parts)
        var byPart: [Int: [Int]] = [:]
        for channel in 0..<group.width { byPart[axis.kept[channel] / partWidth, default: []].append(channel) }
        let partNumbers = byPart.keys.sorted()
        var share = 1
        while (share * partNumbers.count) % multiple != 0 && share < partWidth { share += 1 }
        let ranked = partNumbers.map { part in
            (byPart[part] ?? []).sorted { scores[$0] != scores[$1] ? scores[$0] < scores[$1] : $0 < $1 }
        }
        let longest = ranked.map(\.count).max() ?? 0
        return stride(from: 0, to: longest, by: share).map { start in
            ranked.flatMap { $0.dropFirst(start).prefix(share) }.sorted()
        }
    }
}
