/// A piece of a model's work of which a use consists, for measuring.
public protocol TimedStep {
    func callAsFunction() throws
    /// Bytes of the model's weights and of the most buffers in use at one time during a step,
    /// the batch itself included.
    func peakBytes() throws -> Int
}
