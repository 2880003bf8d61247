/// What one training step did.
public struct TrainingStepReport: Sendable {
    /// Steps done, this one included.
    public let step: Int
    /// The task's loss, without penalties.
    public let loss: Double
    /// What extensions added to the loss; nil where none did.
    public let penalty: Double?
    /// ‖∇‖₂ over the network's parameters, before clipping.
    public let gradientNorm: Double
    public let learningRate: Double

    public init(step: Int, loss: Double, penalty: Double? = nil, gradientNorm: Double, learningRate: Double) {
        self.step = step
        self.loss = loss
        self.penalty = penalty
        self.gradientNorm = gradientNorm
        self.learningRate = learningRate
    }
}
