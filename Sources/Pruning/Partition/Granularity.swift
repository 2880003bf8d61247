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
    /// channel (`AlignedPartition`).
    case aligned(multiple: Int)
    /// As many channels of every group of every normalisation, of concatenated axes too, and of every attention head;
    /// widths become multiples of this number wherever they can (`RegularPartition` says where).
    case regular(multiple: Int)
    /// Of every axis of a level at once, so many that the level has a width which the network's configuration can say
    /// (`LevelPartition`). What is left is an ordinary network of its architecture.
    case level
    /// Whole blocks: all channels of an axis that may vanish (`ChannelGroup.isRemovable`),
    /// and with them the layers on it.
    case layer
    /// One weight. Dense kernels gain nothing from it.
    case weight
    /// Of every `of` weights in a row of inputs, `keep` stay.
    case pattern(keep: Int, of: Int)

    /// Granularities as configurations call them, without their numbers.
    public enum Name: String, Codable, Sendable, CaseIterable {
        case channel, block, head, aligned, regular, level, layer, weight
        case pattern = "n:m"

        /// What the coordinates of its space are.
        public var space: PruningSpace.Kind {
            switch self {
            case .channel, .block, .head, .aligned, .regular, .level, .layer: .channels
            case .weight, .pattern: .weights
            }
        }

        /// Those of a space.
        public static func all(in space: PruningSpace.Kind) -> [Name] { allCases.filter { $0.space == space } }
    }

    public var name: Name {
        switch self {
        case .channel: .channel
        case .block: .block
        case .head: .head
        case .aligned: .aligned
        case .regular: .regular
        case .level: .level
        case .layer: .layer
        case .weight: .weight
        case .pattern: .pattern
        }
    }

    public var space: PruningSpace.Kind { name.space }

    /// Whether its units lie within one site and are small beside it, so that a site can keep a share of its own.
    var takesRatios: Bool {
        switch self {
        case .channel, .block, .head, .aligned, .weight: true
        case .regular, .level, .layer, .pattern: false
        }
    }

    /// The partition of `space` into what leaves at once.
    ///
    /// - Parameters:
    ///   - space: what is divided into units.
    ///   - minimumFraction: of the channels of each axis, always stays (at least one channel, but for whole blocks).
    ///   - network: whose space it is: its normalisations are what `aligned` and `regular` keep equal, its levels what
    ///     `level` leaves.
    ///   - comparesRows: whether weights are ranked within the row of one output instead of all together.
    /// - Throws: `GranularityError` where it cannot be had.
    public func partition(
        of space: PruningSpace, minimumFraction: Double, network: any ChannelNetwork, comparesRows: Bool = false
    ) throws -> any Partition {
        let normalizations = network.normalizations
        let minimumWidths = space.widths.map { max(1, Int((Double($0) * minimumFraction).rounded(.up))) }
        switch self {
        case .channel, .block, .head: return RunPartition(space, granularity: self, minimumWidths: minimumWidths)
        case .aligned(let multiple):
            return AlignedPartition(
                space, multiple: multiple, minimumWidths: minimumWidths, normalizations: normalizations)
        case .regular(let multiple):
            return try RegularPartition(
                space, multiple: multiple, minimumWidths: minimumWidths, normalizations: normalizations)
        case .level:
            guard let levels = try network.levels else { throw GranularityError.noLevels }
            return try LevelPartition(
                space, levels: levels, minimumWidths: minimumWidths, normalizations: normalizations)
        case .layer: return try DepthPartition(space)
        case .weight: return WeightPartition(space, comparesRows: comparesRows)
        case .pattern(let keep, let of): return try PatternPartition(space, keep: keep, of: of)
        }
    }
}

/// Why a granularity cannot be had for a network.
public enum GranularityError: Error, CustomStringConvertible {
    case unequalGroups(axis: String, width: Int, left: Int, minimum: Int)
    case noRemovableBlocks
    case noLevels
    /// A level that has no width left which a configuration can say.
    case noLevelWidth(level: String, axis: String, left: Int, needed: Int)
    /// Widths that each level can have by itself, and not together.
    case noLevelWidths([Int])
    /// `pattern` that keeps nothing or everything.
    case badPattern(keep: Int, of: Int)

    public var description: String {
        switch self {
        case .unequalGroups(let axis, let width, let left, let minimum):
            "granularity 'regular' would have to leave \(left) of the \(width) channels of '\(axis)' to make its "
                + "unequal normalisation groups equal, expected at least \(minimum): prune this model by 'channel', "
                + "or one that was not pruned that way"
        case .noRemovableBlocks:
            "granularity 'layer' finds no block in this model that can be removed, "
                + "expected a model with residual blocks"
        case .noLevels:
            "granularity 'level' finds no levels in this model, "
                + "expected one whose configuration says its widths level by level"
        case .noLevelWidth(let level, let axis, let left, let needed):
            "granularity 'level' finds no width that \(level) can have: '\(axis)' has \(left) whole channels left, "
                + "expected at least \(needed): prune a model of which less is missing, or by 'channel'"
        case .noLevelWidths(let widths):
            "granularity 'level' finds no widths that the levels can have together, got at most \(widths): "
                + "prune a model of which less is missing, or by 'channel'"
        case .badPattern(let keep, let of):
            "the pattern \(keep):\(of) cannot be had, expected N:M with 1 ≤ N < M ≤ 64, as in 2:4"
        }
    }
}
