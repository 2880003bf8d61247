import TensorCore

/// A free axis: channels that can only leave together, wherever they go. Everything that shares the axis shares the
/// object, so what is coupled is known by construction.
public final class ChannelGroup {
    public let name: String
    /// Width before any pruning.
    public let originalWidth: Int
    /// Original numbers of the channels that are left, ascending.
    public let kept: [Int]
    /// False for the model's own input and output, which are fixed.
    public let isPrunable: Bool
    /// Original channels that belong together on this axis (an attention head's width);
    /// 1 where every channel stands alone.
    public let headWidth: Int
    /// Whether all channels may leave: what the layers on the axis compute is then added to something that stays.
    public let isRemovable: Bool
    /// What multiplies the channels; nil where nothing does.
    public var gating: (any Gating)?

    /// Soft mask m ∈ [0, 1], one value a channel; nil means all ones.
    public var gate: Variable? { gating?.gate }

    public var width: Int { kept.count }

    init(
        name: String, originalWidth: Int, kept: [Int], isPrunable: Bool, headWidth: Int, isRemovable: Bool = false
    ) {
        self.name = name
        self.originalWidth = originalWidth
        self.kept = kept
        self.isPrunable = isPrunable
        self.headWidth = headWidth
        self.isRemovable = isRemovable
    }
}

/// The channel dimension of an activation: one free axis, or several one after the other (a concatenation).
public struct ChannelAxis {
    public let groups: [ChannelGroup]

    public init(_ groups: [ChannelGroup]) { self.groups = groups }

    /// An axis that is never pruned.
    public static func fixed(_ name: String, width: Int) -> ChannelAxis {
        ChannelAxis([
            ChannelGroup(name: name, originalWidth: width, kept: Array(0..<width), isPrunable: false, headWidth: 1)
        ])
    }

    /// Channels left.
    public var width: Int { groups.reduce(0) { $0 + $1.width } }
    /// Channels before any pruning.
    public var originalWidth: Int { groups.reduce(0) { $0 + $1.originalWidth } }

    /// Original positions, within the whole axis, of the channels left.
    public var keptPositions: [Int] {
        var offset = 0
        var positions: [Int] = []
        for group in groups {
            positions += group.kept.map { $0 + offset }
            offset += group.originalWidth
        }
        return positions
    }

    /// The gates of the whole axis, `[width]`; nil when no part of it has any.
    public var gate: Variable? {
        guard groups.contains(where: { $0.gating != nil }) else { return nil }
        if groups.count == 1 { return groups[0].gate }
        return .concatenated(groups.map { $0.gate ?? Variable(Tensor(ones: [$0.width])) })
    }

    /// The channels of `a`, then those of `b`: the axis of a concatenation.
    public static func + (a: ChannelAxis, b: ChannelAxis) -> ChannelAxis { ChannelAxis(a.groups + b.groups) }
}

/// Makes a model's free axes, in order, with the channels a pruned model has left.
public final class ChannelAxisBuilder {
    public private(set) var groups: [ChannelGroup] = []
    private let kept: [String: [Int]]

    /// - Parameter kept: channels left by axis name; axes not named are whole.
    public init(kept: [String: [Int]] = [:]) { self.kept = kept }

    /// - Parameters:
    ///   - name: what files and reports call it.
    ///   - width: before any pruning.
    ///   - headWidth: channels that belong together; 1 where each stands alone.
    ///   - isRemovable: whether all channels may leave, and the layers on the axis with them.
    public func axis(
        _ name: String, width: Int, headWidth: Int = 1, isRemovable: Bool = false
    ) throws -> ChannelAxis {
        let channels = kept[name] ?? Array(0..<width)
        guard !channels.isEmpty || isRemovable, channels.allSatisfy({ (0..<width).contains($0) }),
            zip(channels, channels.dropFirst()).allSatisfy({ $0 < $1 })
        else {
            throw ChannelAxisError.badKeptChannels(axis: name, width: width)
        }
        let group = ChannelGroup(
            name: name, originalWidth: width, kept: channels, isPrunable: true, headWidth: headWidth,
            isRemovable: isRemovable)
        groups.append(group)
        return ChannelAxis([group])
    }

    /// Throws when `kept` names an axis that the model lacks.
    public func checkAllUsed() throws {
        let known = Set(groups.map(\.name))
        if let unknown = kept.keys.filter({ !known.contains($0) }).min() {
            throw ChannelAxisError.unknownAxis(unknown, known: groups.map(\.name))
        }
    }
}

public enum ChannelAxisError: Error, CustomStringConvertible {
    case badKeptChannels(axis: String, width: Int)
    case unknownAxis(String, known: [String])

    public var description: String {
        switch self {
        case .badKeptChannels(let axis, let width):
            "kept channels of axis '\(axis)' must be at least one ascending number in 0..<\(width)"
        case .unknownAxis(let axis, let known):
            "the model has no channel axis '\(axis)' "
                + "(it has \(known.count), the first being '\(known.first ?? "none")')"
        }
    }
}
