import TensorCore

/// A block of a network whose output can be held against that of another network's block.
public struct FeatureBlock {
    /// That of the block's last layer: unique in the network.
    public let name: String
    /// The channels of the output.
    public let axis: ChannelAxis
    /// Whether the block ends in attention.
    public let hasAttention: Bool

    public init(_ name: String, axis: ChannelAxis, hasAttention: Bool) {
        self.name = name
        self.axis = axis
        self.hasAttention = hasAttention
    }
}

/// Keeps what a network's blocks put out in one pass. Nothing but what is kept here outlives the block that reads it.
public final class BlockOutputs {
    /// In the order in which the blocks run; gradients flow through them.
    public private(set) var values: [Variable] = []

    public init() {}

    package func append(_ output: Variable) { values.append(output) }
}
