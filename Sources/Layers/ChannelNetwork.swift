/// A network over named channel axes: what pruning needs to know of a model, whatever it computes.
public protocol ChannelNetwork: AnyObject {
    /// Every prunable axis, in order of construction.
    var channelGroups: [ChannelGroup] { get }
    var parameters: [Parameter] { get }
    /// Every normalisation that is computed.
    var normalizations: [any ChannelNormalization] { get }
    /// Multiply–accumulates by layer for one image.
    var computeTerms: [ComputeTerm] { get }
    /// The same architecture with the given channels left on the axes named (whole where not named), weights unset.
    func rebuilt(keeping kept: [String: [Int]]) throws -> Self
    /// What the configuration can say of the widths; nil where it names no levels.
    /// - Throws: why none of it can be had of this network.
    var levels: ChannelLevels? { get throws }
    /// This network as its configuration says it, where all axes are as wide as their levels say. What the
    /// configuration fixes otherwise (followers of levels, groups of normalisations over several axes) is changed to
    /// what it says, and weights are fitted to that where they can be.
    ///
    /// - Parameter earlier: the plain form of a network like this one, whose channels are chosen again.
    func plain(like earlier: PlainForm<Self>?) throws -> PlainForm<Self>
}

extension ChannelNetwork {
    public var levels: ChannelLevels? { nil }

    /// Without levels there is nothing else to say it by.
    public func plain(like earlier: PlainForm<Self>?) throws -> PlainForm<Self> {
        PlainForm(
            network: self,
            positions: parameters.reduce(into: [:]) { $0[$1.name] = $1.variable.shape.map { Array(0..<$0) } })
    }

    /// Of all weights; statistics are none.
    public var parameterCount: Int { parameters.reduce(0) { $0 + ($1.isStatistic ? 0 : $1.count) } }

    /// Multiply–accumulates for one image.
    public var macs: Double { computeTerms.reduce(0) { $0 + $1.macs } }

    /// Original numbers of the channels left, of each axis that lost some.
    public var keptChannels: [String: [Int]] {
        var kept: [String: [Int]] = [:]
        for group in channelGroups where group.width != group.originalWidth { kept[group.name] = group.kept }
        return kept
    }

    /// A network of its own with the same values: a teacher that stays as it is while this one learns. Masks and
    /// reparameterisations are not carried over.
    public func copied() throws -> Self {
        let copy = try rebuilt(keeping: keptChannels)
        for (parameter, twin) in zip(parameters, copy.parameters) where parameter.count > 0 {
            twin.variable.value.assign(parameter.variable.value)
        }
        return copy
    }

    /// Fills every parameter with its initial value.
    public func initialize(seed: UInt64) {
        for (index, parameter) in parameters.enumerated() {
            parameter.initialize(seed: seed, index: UInt64(index))
        }
    }
}
