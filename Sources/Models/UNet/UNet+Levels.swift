import Layers
import LinearAlgebra
import TensorCore

/// What `block_out_channels` can say.
extension UNet {
    /// Levels whose axes are one, as neighbours of equal width share the stream between them, are one level here.
    ///
    /// - Throws: `UNetLevelError` for what diffusers' configuration has no words for.
    public var levels: ChannelLevels? {
        get throws {
            let members = LevelMembers(of: self)
            try checkTimeWidth()
            let levels = try members.levels.map { numbers in
                ChannelLevels.Level(
                    name: name(of: numbers), widths: try widths(of: numbers),
                    axes: members.axes(of: numbers), followers: numbers.contains(0) ? timeFollowers : [])
            }
            let signs = resnetSigns(members)
            return ChannelLevels(levels) { widths in
                self.resnetSigns(members, widths) == signs && self.canBeBuilt(members.levels, at: widths)
            }
        }
    }

    /// Whether there is a U-Net in which these levels have other widths.
    private func canBeBuilt(_ levels: [[Int]], at widths: [Int]) -> Bool {
        var configuration = configuration
        for (numbers, width) in zip(levels, widths) {
            for number in numbers { configuration.blockOutChannels[number] = width }
        }
        guard (try? configuration.validate()) != nil else { return false }
        // Skip blocks choose their groups by widths and sums of them, which only building them checks.
        return !configuration.hasPyramid || (try? Parameter.unset { try UNet(configuration) }) != nil
    }

    /// Widths that levels can have together where the others keep theirs, descending.
    private func widths(of numbers: [Int]) throws -> [Int] {
        let width = configuration.blockOutChannels[numbers[0]]
        if numbers.contains(0), firstWidthIsGiven { return [width] }
        if numbers.contains(0) { try BLAS.prepare() }
        return stride(from: width, to: 0, by: -1).filter { canBeBuilt([numbers], at: [$0]) }
    }

    private func name(of numbers: [Int]) -> String {
        let reason =
            numbers.contains(0) && firstWidthIsGiven
            ? configuration.classEmbedType.map { " (which class_embed_type '\($0.rawValue)' fixes)" } : nil
        return "block_out_channels\(numbers)\(reason ?? "")"
    }

    // MARK: the time embedding

    /// Whether the first width has to stay: callers give vectors that go with it, or numbers of which nobody knows
    /// where a narrower embedding of them would have to be right.
    private var firstWidthIsGiven: Bool {
        switch configuration.classEmbedType {
        case .identity: followsFirstWidth
        case .timestep: true
        case nil: false
        }
    }

    private var followsFirstWidth: Bool { (configuration.timeEmbeddingDim ?? 0) == 0 }

    private var timeFollowers: [ChannelLevels.Follower] {
        guard followsFirstWidth else { return [] }
        var hidden = timeEmbedding.first.to.groups
        if case .timestep(let embedding) = classEmbedding.kind { hidden += embedding.first.to.groups }
        return (timeAxis.groups + hidden).map { ChannelLevels.Follower($0, factor: 4) }
    }

    private func checkTimeWidth() throws {
        guard !followsFirstWidth else { return }
        for group in timeAxis.groups + timeEmbedding.first.to.groups where group.width < group.originalWidth {
            throw UNetLevelError.timeWidth(axis: group.name, width: group.width, expected: group.originalWidth)
        }
    }

    // MARK: ResNet blocks

    /// Of every ResNet block which side of it is wider, as diffusers gives shortcuts to those with unequal sides.
    ///
    /// - Parameter widths: one a level; nil for those before any pruning.
    private func resnetSigns(_ members: LevelMembers, _ widths: [Int]? = nil) -> [Int] {
        resnets.map { block in
            func width(_ axis: ChannelAxis) -> Int {
                guard let widths else { return axis.originalWidth }
                return axis.groups.reduce(0) { sum, group in
                    sum + (members.level(of: group).map { widths[$0] } ?? group.originalWidth)
                }
            }
            return (width(block.conv1.from) - width(block.conv1.to)).signum()
        }
    }

    /// The present widths of the levels, where all axes of each are as wide.
    /// - Throws: `UNetLevelError.unequal`.
    func levelWidths() throws -> [Int] {
        let members = LevelMembers(of: self)
        var widths = configuration.blockOutChannels
        for numbers in members.levels {
            let axes = members.axes(of: numbers)
            let width = axes[0].group.width
            if let other = axes.first(where: { $0.group.width != $0.width(at: width) }) {
                throw UNetLevelError.unequal(
                    axis: other.group.name, width: other.group.width, other: axes[0].group.name,
                    expected: other.width(at: width))
            }
            for number in numbers { widths[number] = width }
        }
        return widths
    }
}

/// Which axes are as wide as which level.
private struct LevelMembers {
    /// Numbers of levels that share axes, ascending.
    private(set) var levels: [[Int]] = []
    private var axesOfLevels: [[ChannelLevels.Axis]] = []
    private var numbers: [ObjectIdentifier: Int] = [:]

    init(of model: UNet) {
        let configuration = model.configuration
        let last = configuration.blockOutChannels.count - 1
        var found = configuration.blockOutChannels.map { _ in [ChannelLevels.Axis]() }
        func add(_ axis: ChannelAxis, to level: Int, step: Int = 1) {
            for group in axis.groups { found[level].append(ChannelLevels.Axis(group, step: step)) }
        }
        func add(_ block: ResnetBlock, to level: Int) {
            add(block.conv1.to, to: level)
            add(block.output, to: level)
        }
        func add(_ attention: SelfAttention?, to level: Int) {
            guard let attention else { return }
            // A single head is as wide as the level.
            add(attention.inner, to: level, step: configuration.attentionHeadDim ?? 1)
        }
        func add(_ level: UNetLevel, to number: Int) {
            for block in level.resnets { add(block, to: number) }
            for attention in level.attentions { add(attention, to: number) }
            switch level.resampler {
            case .downConvolution(let conv), .upConvolution(let conv): add(conv.to, to: number)
            case .resnet(let block): add(block, to: number)
            case nil: break
            }
        }
        add(model.convIn.to, to: 0)
        for (number, level) in model.downLevels.enumerated() { add(level, to: number) }
        if let middle = model.middle {
            add(middle.first, to: last)
            add(middle.attention, to: last)
            add(middle.second, to: last)
        }
        for (number, level) in model.upLevels.enumerated() { add(level, to: last - number) }
        unite(found)
    }

    /// Joins levels that have an axis in common, which only neighbours can have; each axis is there once.
    private mutating func unite(_ found: [[ChannelLevels.Axis]]) {
        for (number, axes) in found.enumerated() {
            let met = Set(axes.compactMap { numbers[ObjectIdentifier($0.group)] })
            let level = met.min() ?? levels.count
            if met.isEmpty {
                levels.append([])
                axesOfLevels.append([])
            }
            levels[level].append(number)
            for axis in axes where numbers[ObjectIdentifier(axis.group)] == nil {
                numbers[ObjectIdentifier(axis.group)] = level
                axesOfLevels[level].append(axis)
            }
        }
    }

    func level(of group: ChannelGroup) -> Int? { numbers[ObjectIdentifier(group)] }

    func axes(of numbers: [Int]) -> [ChannelLevels.Axis] {
        levels.firstIndex(of: numbers).map { axesOfLevels[$0] } ?? []
    }
}

/// What `block_out_channels` cannot say of a U-Net.
public enum UNetLevelError: Error, CustomStringConvertible {
    case timeWidth(axis: String, width: Int, expected: Int)
    case unequal(axis: String, width: Int, other: String, expected: Int)

    public var description: String {
        switch self {
        case .timeWidth(let axis, let width, let expected):
            "one width a level cannot be had: '\(axis)' has \(width) channels left, expected all \(expected) that "
                + "time_embedding_dim says"
        case .unequal(let axis, let width, let other, let expected):
            "one width a level cannot be had: '\(axis)' has \(width) channels left, expected \(expected) beside "
                + "'\(other)'"
        }
    }
}
