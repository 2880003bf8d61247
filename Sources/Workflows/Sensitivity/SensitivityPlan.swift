import Configuration
import Files
import Pruning

/// The section `sensitivity`.
public struct SensitivityPlan: ConfigurationSection, Equatable {
    /// What chooses the channels that leave, by the name of `score`.
    public var criterion = "taylor"
    /// The shares that each group, and each block, is left with, alone.
    public var ratios = [0.75, 0.5, 0.25, 0.125]
    /// Whether the groups of a block are also narrowed together.
    public var blocks = true
    /// What ratios are suggested for, as `pruning.target`.
    public var target = "macs=0.5"
    /// Timesteps at which predictions are compared, in the middles of equal bands of the schedule.
    public var timesteps = 8
    /// Images at which they are, at most.
    public var images = 32
    /// Pictures drawn by each probe, for SSIM; 0 for none.
    public var pictures = 4
    /// Sampling steps of each, by DDIM.
    public var steps = 10
    /// Batches that the criterion is read from.
    public var calibrationBatches = 16
    public var calibrationBatchSize = 8
    /// Images that go through a model together; changes no number but the memory taken.
    public var batchSize = 16
    public var seed = 0

    public init() {}

    public func validate() throws {
        _ = try ScoreCriterion(named: criterion)
        try require((1...64).contains(ratios.count), "ratios", got: "\(ratios.count) of them", expected: "1...64")
        try require(
            ratios.allSatisfy { $0 > 0 && $0 < 1 } && Set(ratios).count == ratios.count, "ratios", got: ratios,
            expected: "numbers in (0, 1), each once")
        _ = try Budget(parsing: target)
        try require((1...1000).contains(timesteps), "timesteps", got: timesteps, expected: "1...1000")
        try require((1...100_000).contains(images), "images", got: images, expected: "1...100000")
        try require((0...100_000).contains(pictures), "pictures", got: pictures, expected: "0...100000")
        try require((1...1_000_000).contains(steps), "steps", got: steps, expected: "1...1000000")
        try require(
            (1...10_000).contains(calibrationBatches), "calibration_batches", got: calibrationBatches,
            expected: "1...10000")
        try require(
            (1...4096).contains(calibrationBatchSize), "calibration_batch_size", got: calibrationBatchSize,
            expected: "1...4096")
        try require((1...4096).contains(batchSize), "batch_size", got: batchSize, expected: "1...4096")
        try require(seed >= 0, "seed", got: seed, expected: "at least 0")
    }
}
