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

/// Removes the masked channels for good: from the weights and from anything else that has the weights' shape (moving
/// averages, optimiser moments).
public struct Compaction<Network: ChannelNetwork> {
    /// The smaller network, with its weights.
    public let network: Network
    /// By the name of each parameter of the smaller network: which positions of each dimension stay.
    private let kept: [String: Kept]

    private struct Kept {
        let shape: [Int]
        let positions: [[Int]]

        /// The elements whose positions all stay, in order.
        func gather(_ source: Tensor, into target: Tensor) {
            let last = shape.count - 1
            let rowLength = shape.last ?? 1
            var written = 0
            // Rows of the last dimension by the positions of the others, the first slowest.
            func gatherRows(_ dimension: Int, _ row: Int) {
                guard dimension < last else {
                    let start = row * rowLength
                    for position in positions[last] {
                        target.pointer[written] = source.pointer[start + position]
                        written += 1
                    }
                    return
                }
                for position in positions[dimension] { gatherRows(dimension + 1, row * shape[dimension] + position) }
            }
            gatherRows(0, 0)
            precondition(written == target.count, "\(written) of \(target.count) elements")
        }
    }

    /// - Parameters:
    ///   - source: the network, which stays as it is.
    ///   - masks: of a space of the network's channels, each exactly 0 or 1.
    /// - Throws: `CompactionError`.
    public init(_ source: Network, masks: Masks) throws {
        var kept = source.keptChannels
        var left: [ObjectIdentifier: [Int]] = [:]
        for (site, group) in masks.space.groups.enumerated() {
            guard masks.isBinary(site: site) else { throw CompactionError.softMask(group: group.name) }
            let mask = masks[site]
            let channels = mask.indices.filter { mask[$0] == 1 }
            guard !channels.isEmpty || group.axis.isRemovable else { throw CompactionError.emptyGroup(group.name) }
            left[ObjectIdentifier(group.axis)] = channels
            kept[group.name] = channels.map { group.axis.kept[$0] }
        }
        network = try source.rebuilt(keeping: kept)
        var positions: [String: Kept] = [:]
        var values: [String: Tensor] = [:]
        for parameter in source.parameters {
            positions[parameter.name] = Self.kept(of: parameter, left: left)
            values[parameter.name] = parameter.variable.value
        }
        self.kept = positions
        for parameter in network.parameters {
            guard let old = values[parameter.name] else { continue }
            positions[parameter.name]?.gather(old, into: parameter.variable.value)
        }
    }

    private static func kept(of parameter: Parameter, left: [ObjectIdentifier: [Int]]) -> Kept {
        let shape = parameter.variable.shape
        let positions = zip(parameter.axes, shape).map { axis, extent in
            guard let axis else { return Array(0..<extent) }
            var positions: [Int] = []
            var offset = 0
            for group in axis.groups {
                positions += (left[ObjectIdentifier(group)] ?? Array(0..<group.width)).map { $0 + offset }
                offset += group.width
            }
            return positions
        }
        return Kept(shape: shape, positions: positions)
    }

    /// The part that survives of a flat tensor laid out as `arena` of the source network, laid out as `compacted`, the
    /// arena of the smaller network.
    public func gather(_ flat: Tensor, from arena: ParameterArena, to compacted: ParameterArena) -> Tensor {
        let result = Tensor(zeros: [compacted.count])
        var numbers: [String: Int] = [:]
        for (index, parameter) in arena.parameters.enumerated() { numbers[parameter.name] = index }
        for (index, parameter) in compacted.parameters.enumerated() {
            guard let number = numbers[parameter.name] else { continue }
            kept[parameter.name]?.gather(arena.slice(flat, number), into: compacted.slice(result, index))
        }
        return result
    }
}
