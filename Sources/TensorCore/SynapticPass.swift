/// A pass in which a network is the linear map without signs that synaptic flow is read from: weights by their absolute
/// values, nothing added to what they make of their inputs, activations the identity.
///
/// What a network is made of asks `isOn` where it computes, as operations ask whether they record. A backward pass
/// belongs inside too: under gradient checkpointing it runs blocks again.
public enum SynapticPass {
    @TaskLocal public static var isOn = false

    /// Runs `body`, forward and backward pass, in this way.
    public static func run<Result>(_ body: () throws -> Result) rethrows -> Result {
        try $isOn.withValue(true, operation: body)
    }
}
