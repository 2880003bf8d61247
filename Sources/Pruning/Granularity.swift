import Layers

/// What leaves at once.
public enum Granularity: Codable, Sendable, Equatable {
    /// One channel; normalisation groups may become unequal ("ragged").
    case channel
    /// Runs of this many neighbouring channels share a mask.
    case block(Int)
    /// Whole attention heads; single channels elsewhere.
    case head
    /// Widths stay multiples of this number, and a group's own normalisation groups or heads equally wide to within one
    /// channel (`AlignedRuns`).
    case aligned(multiple: Int)
    /// As many channels of every group of every normalisation, of concatenated axes too, and of every attention head;
    /// widths become multiples of this number wherever they can (`RegularPlan` says where).
    case regular(multiple: Int)
}

/// Channels that leave together, with the priority of their staying.
public struct PruningUnit {
    public struct Part: Codable, Sendable, Equatable {
        public let group: Int
        /// Channel numbers within the group's present width.
        public let channels: [Int]

        public init(group: Int, channels: [Int]) {
            self.group = group
            self.channels = channels
        }
    }
    /// One a group.
    public let parts: [Part]
    /// The larger, the longer it stays: the channels' scores by what they cost.
    var score: Double
    /// Whether it leaves even where the budget would be met with it.
    var mustLeave: Bool

    /// - Parameters:
    ///   - scores: one a channel of each group; −∞ says that a channel has left already.
    ///   - prices: what a channel of each group counts.
    init(_ parts: [Part], scores: [[Double]], prices: [Double]) {
        self.parts = parts
        var (score, price) = (0.0, 0.0)
        mustLeave = false
        for part in parts {
            for channel in part.channels {
                score += scores[part.group][channel]
                mustLeave = mustLeave || scores[part.group][channel] == -.infinity
            }
            price += Double(part.channels.count) * prices[part.group]
        }
        self.score = score / price
    }

    /// A score that is not a number says nothing for a channel: it leaves first.
    static func sortable(_ score: Double) -> Double { score.isNaN ? -.infinity : score }
}

extension Granularity {
    /// Runs of one group's channels that leave together, for the granularities that look at one group at a time.
    func runs(of axis: ChannelGroup) -> [[Int]] {
        let key: (Int) -> Int =
            switch self {
            case .channel, .aligned, .regular: { $0 }
            case .block(let size): { axis.kept[$0] / size }
            case .head: { axis.kept[$0] / axis.headWidth }
            }
        var result: [[Int]] = []
        var last: Int?
        for channel in 0..<axis.width {
            let current = key(channel)
            if current == last { result[result.count - 1].append(channel) } else { result.append([channel]) }
            last = current
        }
        return result
    }
}
