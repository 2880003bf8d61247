import Configuration
import Files

/// How long and how fast a network is trained, whatever it learns:
/// the keys of the `training` and `finetuning` sections that belong to no task.
public struct TrainingConfiguration: ConfigurationSection, Equatable {
    public var steps = 10_000
    public var batchSize = 64
    public var learningRate = 2e-4
    public var learningRateSchedule = LearningRateSchedule()
    public var optimizer = OptimizerConfiguration()
    /// Decay of the moving average of the weights, which is what is saved; 0 turns it off.
    public var ema = 0.9995
    /// Largest gradient norm; 0 for no clipping.
    public var gradientClip = 1.0
    /// Whether the insides of the network's blocks are computed again in the backward pass, in place of being kept: the
    /// same steps with less memory and in more time.
    public var gradientCheckpointing = false
    public var seed = 0
    /// Steps between lines of the log.
    public var logEvery = 50
    /// Steps between checkpoints.
    public var checkpointEvery = 500
    /// Minutes after which a checkpoint is made whatever the steps say; 0 for by steps alone.
    public var checkpointMinutes = 2.0
    /// Whether checkpoints stay when the run is done, so that it can be made longer.
    public var keepCheckpoints = false

    public init() {}

    public func validate() throws {
        try require((0...100_000_000).contains(steps), "steps", got: steps, expected: "0...100000000")
        try require((1...65_536).contains(batchSize), "batch_size", got: batchSize, expected: "1...65536")
        try require(learningRate > 0 && learningRate <= 10, "learning_rate", got: learningRate, expected: "in (0, 10]")
        try SettingError.within("learning_rate_schedule", learningRateSchedule.validate)
        try require((0..<1).contains(ema), "ema", got: ema, expected: "in [0, 1)")
        try require(
            gradientClip >= 0 && gradientClip.isFinite, "gradient_clip", got: gradientClip, expected: "at least 0")
        try require(seed >= 0, "seed", got: seed, expected: "at least 0")
        try require(logEvery > 0, "log_every", got: logEvery, expected: "at least 1")
        try require(checkpointEvery > 0, "checkpoint_every", got: checkpointEvery, expected: "at least 1")
        try require(
            checkpointMinutes >= 0 && checkpointMinutes <= 1e6, "checkpoint_minutes", got: checkpointMinutes,
            expected: "0...1000000")
        let o = optimizer
        try require(
            (0..<1).contains(o.beta1) && (0..<1).contains(o.beta2), "optimizer.beta1, beta2", got: [o.beta1, o.beta2],
            expected: "in [0, 1)")
        try require(o.epsilon > 0 && o.epsilon.isFinite, "optimizer.epsilon", got: o.epsilon, expected: "above 0")
        try require((0..<1).contains(o.momentum), "optimizer.momentum", got: o.momentum, expected: "in [0, 1)")
        try require(
            o.weightDecay >= 0 && o.weightDecay.isFinite, "optimizer.weight_decay", got: o.weightDecay,
            expected: "at least 0")
    }
}
