import Layers
import TensorCore

/// A soft mask m ∈ [0, 1] for every channel of every prunable group: 1 keeps, 0 removes.
public struct MaskSet: Equatable, Codable, Sendable {
    /// By group, in the network's order.
    public var values: [[Float]]

    public init(values: [[Float]]) { self.values = values }

    /// All ones.
    public init(keepingAllOf groups: [PrunableGroup]) {
        values = groups.map { Array(repeating: 1, count: $0.width) }
    }

    /// Whether every mask is exactly 0 or 1.
    public var isBinary: Bool { values.allSatisfy { $0.allSatisfy { $0 == 0 || $0 == 1 } } }

    /// Channels of each group that are not at zero.
    public var liveWidths: [Int] { values.map { $0.count { $0 > 0 } } }

    /// Σ m of each group.
    public var softWidths: [Double] { values.map { $0.reduce(0) { $0 + Double($1) } } }

    /// Puts the masks on the network's axes as gates.
    ///
    /// - Parameter trainable: whether gradients of the gates are wanted.
    public func install(on groups: [PrunableGroup], trainable: Bool) {
        for (group, mask) in zip(groups, values) {
            group.axis.gating = LeafGate(
                Variable(Tensor(mask, shape: [mask.count]), requiresGradient: trainable))
        }
    }

    /// Takes the gates off: the network computes as if every mask were one.
    public static func removeGates(from groups: [PrunableGroup]) {
        for group in groups { group.axis.gating = nil }
    }
}
