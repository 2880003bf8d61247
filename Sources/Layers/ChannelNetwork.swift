/// A network over named channel axes: what pruning needs to know of a model, whatever it computes.
public protocol ChannelNetwork: AnyObject {
    /// Every prunable axis, in order of construction.
    var channelGroups: [ChannelGroup] { get }
    var parameters: [Parameter] { get }
    /// Every group normalisation.
    var normalizations: [GroupNorm] { get }
    /// Multiply–accumulates by layer for one image.
    var computeTerms: [ComputeTerm] { get }
    /// The same architecture with the given channels left on the axes named (whole where not named), weights unset.
    func rebuilt(keeping kept: [String: [Int]]) throws -> Self
}

extension ChannelNetwork {
    public var parameterCount: Int { parameters.reduce(0) { $0 + $1.count } }

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
