import Configuration

/// How long and how fast a network is trained, whatever it learns: the keys of the `training` and `finetuning` sections that
/// belong to no task.
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
    /// Weight λ of imitating a teacher, such as the unpruned model: (1 − λ)·the task's own loss + λ·imitation.
    public var distillation = 0.0
    /// Whether the insides of the network's blocks are computed again in the backward pass, in place of being kept: the
    /// same steps with less memory and in more time.
    public var gradientCheckpointing = false
    public var seed = 0
    /// Steps between lines of the log.
    public var logEvery = 50
    /// Steps between checkpoints.
    public var checkpointEvery = 500

    public init() {}

    public func validate() throws {
        func check(_ ok: Bool, _ key: String, _ got: Any, _ expected: String) throws {
            if !ok { throw ConfigurationError.invalid(source: "training", key: key, got: "\(got)", expected: expected) }
        }
        try check((0...100_000_000).contains(steps), "steps", steps, "0...100000000")
        try check((1...65_536).contains(batchSize), "batch_size", batchSize, "1...65536")
        try check(learningRate > 0 && learningRate <= 10, "learning_rate", learningRate, "in (0, 10]")
        try check(
            learningRateSchedule.warmUpSteps >= 0, "learning_rate_schedule.warm_up_steps",
            learningRateSchedule.warmUpSteps, "at least 0")
        try check(
            (0...1).contains(learningRateSchedule.finalFraction), "learning_rate_schedule.final_fraction",
            learningRateSchedule.finalFraction, "in [0, 1]")
        try check((0..<1).contains(ema), "ema", ema, "in [0, 1)")
        try check(gradientClip >= 0 && gradientClip.isFinite, "gradient_clip", gradientClip, "at least 0")
        try check((0...1).contains(distillation), "distillation", distillation, "in [0, 1]")
        try check(seed >= 0, "seed", seed, "at least 0")
        try check(logEvery > 0, "log_every", logEvery, "at least 1")
        try check(checkpointEvery > 0, "checkpoint_every", checkpointEvery, "at least 1")
        let o = optimizer
        try check(
            (0..<1).contains(o.beta1) && (0..<1).contains(o.beta2), "optimizer.beta1, beta2", [o.beta1, o.beta2],
            "in [0, 1)")
        try check(o.epsilon > 0 && o.epsilon.isFinite, "optimizer.epsilon", o.epsilon, "above 0")
        try check((0..<1).contains(o.momentum), "optimizer.momentum", o.momentum, "in [0, 1)")
        try check(o.weightDecay >= 0 && o.weightDecay.isFinite, "optimizer.weight_decay", o.weightDecay, "at least 0")
    }
}
