/// What one training step did.
public struct TrainingStepReport: Sendable {
    /// Steps done, this one included.
    public let step: Int
    /// The task's loss, without further terms and penalties.
    public let loss: Double
    /// Further terms of the task's, without their weights, by name.
    public let terms: [String: Double]
    /// What extensions added to the loss; nil where none did.
    public let penalty: Double?
    /// ‖∇‖₂ over the network's parameters, before clipping.
    public let gradientNorm: Double
    public let learningRate: Double

    public init(
        step: Int, loss: Double, terms: [String: Double] = [:], penalty: Double? = nil, gradientNorm: Double,
        learningRate: Double
    ) {
        self.step = step
        self.loss = loss
        self.terms = terms
        self.penalty = penalty
        self.gradientNorm = gradientNorm
        self.learningRate = learningRate
    }
}
