import Layers
import TensorCore
import Training

/// A free channel axis with every weight that lies on it: what leaves when a channel leaves.
public struct PrunableGroup {
    /// A place where the axis appears: dimension `dimension` of a parameter, channels from `offset` on.
    public struct Member {
        public let parameter: Parameter
        /// The parameter's number among the network's trainable parameters.
        public let parameterIndex: Int
        public let dimension: Int
        public let offset: Int
    }

    public let axis: ChannelGroup
    public let members: [Member]

    public var name: String { axis.name }
    public var width: Int { axis.width }

    /// The groups of a network, in its order of axes.
    public static func all(of network: some ChannelNetwork) -> [PrunableGroup] {
        var members: [ObjectIdentifier: [Member]] = [:]
        for (index, parameter) in network.parameters.filter(\.isTrainable).enumerated() {
            for (dimension, axis) in parameter.axes.enumerated() {
                var offset = 0
                for group in axis?.groups ?? [] {
                    members[ObjectIdentifier(group), default: []].append(
                        Member(parameter: parameter, parameterIndex: index, dimension: dimension, offset: offset))
                    offset += group.width
                }
            }
        }
        return network.channelGroups.filter(\.isPrunable).map {
            PrunableGroup(axis: $0, members: members[ObjectIdentifier($0)] ?? [])
        }
    }

    /// Copies every weight on one channel.
    ///
    /// - Parameters:
    ///   - channel: in 0..<width.
    ///   - source: laid out as `arena`.
    ///   - target: laid out as `arena`.
    ///   - arena: how both are laid out.
    public func copyWeights(of channel: Int, from source: Tensor, to target: Tensor, in arena: ParameterArena) {
        for member in members {
            let shape = member.parameter.variable.shape
            let inner = shape[(member.dimension + 1)...].reduce(1, *)
            let extent = shape[member.dimension]
            let (from, to) = (arena.slice(source, member.parameterIndex), arena.slice(target, member.parameterIndex))
            withExtendedLifetime((from, to)) {
                for block in 0..<shape[..<member.dimension].reduce(1, *) {
                    let start = (block * extent + member.offset + channel) * inner
                    (to.pointer + start).update(from: from.pointer + start, count: inner)
                }
            }
        }
    }

    /// For each channel, the sum over all weights on it of an elementwise quantity; added up in double.
    ///
    /// - Parameters:
    ///   - flat: one value a weight, laid out as `arena`.
    ///   - arena: how `flat` is laid out.
    public func sums(of flat: Tensor, in arena: ParameterArena) -> [Double] {
        var sums = [Double](repeating: 0, count: width)
        for member in members {
            let shape = member.parameter.variable.shape
            let inner = shape[(member.dimension + 1)...].reduce(1, *)
            let extent = shape[member.dimension]
            let outer = shape[..<member.dimension].reduce(1, *)
            let values = arena.slice(flat, member.parameterIndex)
            withExtendedLifetime(values) {
                for block in 0..<outer {
                    for channel in 0..<width {
                        let start = (block * extent + member.offset + channel) * inner
                        var sum = 0.0
                        for index in start..<(start + inner) { sum += Double(values.pointer[index]) }
                        sums[channel] += sum
                    }
                }
            }
        }
        return sums
    }
}
