/// A network of blocks that offers gradient checkpointing (see `Variable.checkpointed`).
public protocol BlockCheckpointing: ChannelNetwork {
    /// Whether backward passes compute the insides of blocks again, so that less has to be kept: the same gradients for
    /// about a third more time. No effect where nothing is recorded.
    var usesGradientCheckpointing: Bool { get set }
}
