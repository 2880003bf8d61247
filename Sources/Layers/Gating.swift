import TensorCore

/// What multiplies the channels of an axis: soft masks, or gates that are learned.
///
/// A gate may be *derived* from learned leaves (a hard-concrete gate from its log α). It is therefore asked for
/// wherever it is used and not handed on: inside a block under gradient checkpointing it is then made by the block
/// itself, both times, and its gradient finds the leaves (see `Variable.checkpointed`).
public protocol Gating: AnyObject {
    /// The gates in [0, 1], one a channel: `[width]`. The same values at every call within one pass.
    var gate: Variable { get }
}

/// Gates that are values of their own, trainable where their gradient is wanted: a mask of an axis's channels, or of a
/// weight's elements.
public final class LeafGate: Gating, Reparameterization {
    public let gate: Variable

    /// - Parameter gate: a leaf in [0, 1], `[width]` or of the weight's shape.
    public init(_ gate: Variable) { self.gate = gate }

    public func materialize(_ base: Variable) -> Variable { base.multiplied(by: gate) }
}
