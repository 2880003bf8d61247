import Layers
import Pruning

/// A layer that reads an axis, maybe several times: where it reads a concatenation of the axis with itself.
struct AxisReader {
    let weight: Parameter
    /// The layer's input channels that leave with each channel of the axis.
    let channels: [[Int]]

    /// The layers that read an axis, in the network's order.
    static func all(of group: PrunableGroup) -> [AxisReader] {
        var offsets: [Int: (weight: Parameter, offsets: [Int])] = [:]
        for member in group.consumers {
            offsets[member.parameterIndex, default: (member.parameter, [])].offsets.append(member.offset)
        }
        return offsets.sorted { $0.key < $1.key }.map { _, layer in
            AxisReader(
                weight: layer.weight, channels: (0..<group.width).map { channel in layer.offsets.map { $0 + channel } })
        }
    }
}
