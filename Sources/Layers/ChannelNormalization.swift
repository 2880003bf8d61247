/// A normalisation over a channel axis, with a scale γ a channel.
public protocol ChannelNormalization: Layer {
    var gamma: Parameter { get }
    var axis: ChannelAxis { get }
    /// Number of groups of channels that are normalised together, before any pruning; 1 where channels do not depend on
    /// how they are divided.
    var groupCount: Int { get }
}
