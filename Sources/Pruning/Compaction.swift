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
    /// The network that was made smaller.
    private let source: Network
    /// The channels left of each of its axes.
    private let channels: [String: [Int]]
    /// As `kept`, of the network that the masks left.
    private let masked: [String: Kept]
    /// What became of the smaller network; nil where it is to stay as the masks left it.
    private let plain: PlainForm<Network>?

    private struct Kept {
        let shape: [Int]
        let positions: [[Int]]

        /// Of each dimension the positions with these numbers.
        func taking(_ numbers: [[Int]]) -> Kept {
            Kept(shape: shape, positions: zip(positions, numbers).map { own, numbers in numbers.map { own[$0] } })
        }

        /// The elements whose positions all stay, in order.
        func gather(_ source: Tensor, into target: Tensor) {
            let written = visit { target.pointer[$0] = source.pointer[$1] }
            precondition(written == target.count, "\(written) of \(target.count) elements")
        }

        /// Puts elements back where `gather` takes them from; the others stay as they are.
        func scatter(_ source: Tensor, into target: Tensor) {
            let read = visit { target.pointer[$1] = source.pointer[$0] }
            precondition(read == source.count, "\(read) of \(source.count) elements")
        }

        /// Calls `body` with the place of every element that stays among those, and among all; returns how many stay.
        private func visit(_ body: (_ left: Int, _ place: Int) -> Void) -> Int {
            let last = shape.count - 1
            let rowLength = shape.last ?? 1
            var count = 0
            // Rows of the last dimension by the positions of the others, the first slowest.
            func visitRows(_ dimension: Int, _ row: Int) {
                guard dimension < last else {
                    let start = row * rowLength
                    for position in positions[last] {
                        body(count, start + position)
                        count += 1
                    }
                    return
                }
                for position in positions[dimension] { visitRows(dimension + 1, row * shape[dimension] + position) }
            }
            visitRows(0, 0)
            return count
        }
    }

    /// - Parameters:
    ///   - source: the network, which stays as it is.
    ///   - masks: of a space of the network's channels, each exactly 0 or 1.
    ///   - becomesPlain: whether the smaller network is made one that its configuration says (`ChannelNetwork.plain`),
    ///     for masks that leave every level one width.
    /// - Throws: `CompactionError`, what the network says to becoming plain.
    public init(_ source: Network, masks: Masks, becomesPlain: Bool = false) throws {
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
        let smaller = try source.rebuilt(keeping: kept)
        var positions: [String: Kept] = [:]
        for parameter in source.parameters { positions[parameter.name] = Self.kept(of: parameter, left: left) }
        Self.fill(smaller, from: source, positions)
        (self.source, channels) = (source, kept)
        plain = becomesPlain ? try smaller.plain(like: nil) : nil
        network = plain?.network ?? smaller
        self.kept =
            plain.map { plain in
                plain.positions.reduce(into: [:]) { result, each in
                    result[each.key] = positions[each.key]?.taking(each.value)
                }
            } ?? positions
        masked = positions
    }

    /// - Parameter values: of a parameter of the source in place of its own; nil for these.
    private static func fill(
        _ network: Network, from source: Network, _ kept: [String: Kept], values: (Parameter) -> Tensor? = { _ in nil }
    ) {
        let former = source.parameters.reduce(into: [:]) { $0[$1.name] = $1 }
        for parameter in network.parameters {
            guard let old = former[parameter.name] else { continue }
            kept[parameter.name]?.gather(values(old) ?? old.variable.value, into: parameter.variable.value)
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

    /// Puts a flat tensor laid out as `compacted`, the arena of the smaller network, back to where it was in one laid
    /// out as `arena` of the source network; what has no place in the smaller network stays as it is.
    ///
    /// - Precondition: the smaller network did not become a plain one.
    public func scatter(
        _ flat: Tensor, from compacted: ParameterArena, to arena: ParameterArena, into target: Tensor
    ) {
        precondition(plain == nil, "what became plain has no way back")
        var numbers: [String: Int] = [:]
        for (index, parameter) in arena.parameters.enumerated() { numbers[parameter.name] = index }
        for (index, parameter) in compacted.parameters.enumerated() {
            guard let number = numbers[parameter.name] else { continue }
            kept[parameter.name]?.scatter(compacted.slice(flat, index), into: arena.slice(target, number))
        }
    }

    /// What other weights than the source's own, laid out as its `arena`, become in the smaller network, laid out as
    /// `compacted`: what is fitted is fitted to them.
    ///
    /// - Throws: what the network says to becoming plain.
    public func weights(
        _ flat: Tensor, from arena: ParameterArena, to compacted: ParameterArena
    ) throws -> Tensor {
        guard let plain else { return gather(flat, from: arena, to: compacted) }
        let smaller = try source.rebuilt(keeping: channels)
        Self.fill(smaller, from: source, masked) { parameter in
            arena.index(of: parameter).map { arena.slice(flat, $0) }
        }
        let other = try smaller.plain(like: plain).network
        let result = Tensor(zeros: [compacted.count])
        for (index, parameter) in other.parameters.filter(\.isTrainable).enumerated() {
            compacted.slice(result, index).assign(parameter.variable.value)
        }
        return result
    }
}
