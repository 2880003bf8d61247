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

    public init(
        _ name: String, parameters: [Parameter], optimizer: OptimizerConfiguration = OptimizerConfiguration(),
        learningRate: Double, schedule: LearningRateSchedule = LearningRateSchedule()
    ) {
        self.name = name
        self.parameters = parameters
        self.optimizer = optimizer
        self.learningRate = learningRate
        self.schedule = schedule
    }
}
