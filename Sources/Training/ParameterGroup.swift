import Layers

/// Parameters beside a network's own, with an optimiser and a learning rate of their own: logits of masks, thresholds.
///
/// Their gradients are not clipped, and no moving average is kept of them.
public struct ParameterGroup {
    /// Unique within its extension: names its state in checkpoints.
    public let name: String
    /// Parameters that are not the network's and in no other group.
    public let parameters: [Parameter]
    /// With its weight decay.
    public let optimizer: OptimizerConfiguration
    /// The peak.
    public let learningRate: Double
    /// Runs over the same steps as the network's.
    public let schedule: LearningRateSchedule
    /// What the rate is multiplied by besides, at a step (from 0) of the training: for what runs over part of the steps
    /// only.
    public let factor: @Sendable (_ step: Int) -> Double

    /// - Parameters:
    ///   - name: unique within its extension.
    ///   - parameters: those of the group.
    ///   - optimizer: with its weight decay.
    ///   - learningRate: the peak.
    ///   - schedule: runs over the same steps as the network's.
    ///   - factor: what the rate is multiplied by besides, at a step (from 0): a function of nothing else.
    public init(
        _ name: String, parameters: [Parameter], optimizer: OptimizerConfiguration = OptimizerConfiguration(),
        learningRate: Double, schedule: LearningRateSchedule = LearningRateSchedule(),
        factor: @escaping @Sendable (_ step: Int) -> Double = { _ in 1 }
    ) {
        self.name = name
        self.parameters = parameters
        self.optimizer = optimizer
        self.learningRate = learningRate
        self.schedule = schedule
        self.factor = factor
    }
}
