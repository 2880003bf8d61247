import Layers
import TensorCore
import Training

public enum CompactionError: Error, CustomStringConvertible {
    case softMask(group: String)
    case emptyGroup(String)

    public var description: String {
        switch self {
        case .softMask(let group): "group '\(group)' has masks between 0 and 1: polarise before compacting"
        case .emptyGroup(let group): "every channel of group '\(group)' is masked: at least one must stay"
        }
    }
}

/// Really removes the masked channels: from the weights and from anything else that has the weights' shape (moving
/// averages, optimiser moments).
public struct Compaction<Network: ChannelNetwork> {
    /// The smaller network, with its weights.
    public let network: Network
    private let source: Network
    /// For each trainable parameter, the elements (in the engine's layout) that stay, in order.
    private let surviving: [[Int]]

    public init(_ source: Network, groups: [PrunableGroup], masks: MaskSet) throws {
        var kept = source.keptChannels
        var stays: [ObjectIdentifier: [Int]] = [:]
        for (group, mask) in zip(groups, masks.values) {
            guard mask.allSatisfy({ $0 == 0 || $0 == 1 }) else { throw CompactionError.softMask(group: group.name) }
            let channels = mask.indices.filter { mask[$0] == 1 }
            guard !channels.isEmpty else { throw CompactionError.emptyGroup(group.name) }
            stays[ObjectIdentifier(group.axis)] = channels
            kept[group.name] = channels.map { group.axis.kept[$0] }
        }
        self.source = source
        network = try source.rebuilt(keeping: kept)
        surviving = source.parameters.map { Self.survivingElements(of: $0, stays: stays) }
        for (index, (old, new)) in zip(source.parameters, network.parameters).enumerated() {
            new.variable.value.assign(gather(old.variable.value, parameter: index))
        }
    }

    /// Index of every element whose channels all stay.
    private static func survivingElements(of parameter: Parameter, stays: [ObjectIdentifier: [Int]]) -> [Int] {
        var elements = [0]
        for (axis, extent) in zip(parameter.axes, parameter.variable.shape) {
            var positions = Array(0..<extent)
            if let axis {
                positions = []
                var offset = 0
                for group in axis.groups {
                    let channels = stays[ObjectIdentifier(group)] ?? Array(0..<group.width)
                    positions += channels.map { $0 + offset }
                    offset += group.width
                }
            }
            elements = elements.flatMap { base in positions.map { base * extent + $0 } }
        }
        return elements
    }

    private func gather(_ tensor: Tensor, parameter: Int) -> Tensor {
        let elements = surviving[parameter]
        let result = Tensor(uninitialized: [elements.count])
        for (target, element) in elements.enumerated() { result.pointer[target] = tensor.pointer[element] }
        return result
    }

    /// The part that survives of a flat tensor laid out as `arena` of the source network, laid out as `compacted`, the
    /// arena of the smaller network.
    public func gather(_ flat: Tensor, from arena: ParameterArena, to compacted: ParameterArena) -> Tensor {
        let result = Tensor(zeros: [compacted.count])
        let trainable = source.parameters.indices.filter { source.parameters[$0].isTrainable }
        for (index, parameter) in trainable.enumerated() {
            compacted.slice(result, index).assign(gather(arena.slice(flat, index), parameter: parameter))
        }
        return result
    }
}
