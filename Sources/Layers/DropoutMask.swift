/// Names the random stream of one training step's dropout.
public struct DropoutMask: Sendable {
    public let seed: UInt64
    public let step: UInt64

    public init(seed: UInt64, step: UInt64) {
        self.seed = seed
        self.step = step
    }
}
