/// What a network's configuration can say of its widths: one number a level, which all axes of the level have in
/// common.
public struct ChannelLevels {
    /// An axis that is as wide as its level.
    public struct Axis {
        public let group: ChannelGroup
        /// Channels that only leave together, as those of an attention head; 1 where each stands alone.
        public let step: Int

        public init(_ group: ChannelGroup, step: Int = 1) {
            self.group = group
            self.step = step
        }

        /// Its width where the level's is `width`: what is no whole step is left out.
        public func width(at width: Int) -> Int { width / step * step }

        /// The channels of it that a configuration can say: those of steps that are whole.
        public var wholeWidth: Int {
            guard step > 1 else { return group.width }
            let steps = Dictionary(grouping: group.kept) { $0 / step }
            return steps.values.count { $0.count == step } * step
        }
    }

    /// An axis that is some times as wide as a level. Nothing on it is masked: it is cut when the network becomes
    /// plain.
    public struct Follower {
        public let group: ChannelGroup
        public let factor: Int

        public init(_ group: ChannelGroup, factor: Int) {
            self.group = group
            self.factor = factor
        }
    }

    public struct Level {
        /// What messages call it.
        public let name: String
        /// Widths that it can have by itself, from the one before any pruning downwards.
        public let widths: [Int]
        /// In order of construction; the first has steps of one channel.
        public let axes: [Axis]
        public let followers: [Follower]

        public init(name: String, widths: [Int], axes: [Axis], followers: [Follower] = []) {
            self.name = name
            self.widths = widths
            self.axes = axes
            self.followers = followers
        }
    }

    public let levels: [Level]
    /// Whether there is a network of one width for each level.
    public let isLegal: ([Int]) -> Bool

    public init(_ levels: [Level], isLegal: @escaping ([Int]) -> Bool) {
        self.levels = levels
        self.isLegal = isLegal
    }
}

/// A network that its configuration says completely, made of one that needed to be told which channels are left.
public struct PlainForm<Network> {
    public let network: Network
    /// By the name of each parameter, for each dimension of it: the positions in the former parameter that its own
    /// stand for.
    public let positions: [String: [[Int]]]

    public init(network: Network, positions: [String: [[Int]]]) {
        self.network = network
        self.positions = positions
    }
}
