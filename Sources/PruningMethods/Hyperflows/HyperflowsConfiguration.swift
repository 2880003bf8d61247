import Files
import Pruning

/// The settings of `hyperflows`.
public struct HyperflowsConfiguration: PrunerConfiguration {
    /// E: epochs of pruning that the soft steps are divided into, beside those of regrowth.
    public var epochs = 40
    /// Epochs of regrowth, which come last; 0 for none.
    public var regrowthEpochs = 10
    /// How far t can move in an epoch at most: the rate of its Adam, times the steps of an epoch. The paper has 391
    /// steps at a rate of 1e-3.
    public var travel = 0.391
    /// By how much γ rises or falls after an epoch at least.
    public var step = 0.2
    /// γ_eff of all epochs of pruning; 0 for the scheduler, which leads to the budget.
    public var constantPressure = 0.0
    /// The rate of t in the first epoch of regrowth, relative to that of pruning.
    public var regrowthRate = 1.0
    /// What that is multiplied by from epoch to epoch.
    public var regrowthDecay = 0.75

    public init() {}

    public func validate() throws {
        try require((1...10_000).contains(epochs), "epochs", got: epochs, expected: "1...10000")
        try require(
            (0...10_000).contains(regrowthEpochs), "regrowth_epochs", got: regrowthEpochs, expected: "0...10000")
        try require(travel > 0 && travel <= 1000, "travel", got: travel, expected: "in (0, 1000]")
        try require(step > 0 && step <= 1e6, "step", got: step, expected: "in (0, 1e6]")
        try require(
            constantPressure >= 0 && constantPressure <= 1e12, "constant_pressure", got: constantPressure,
            expected: "in [0, 1e12]")
        try require((0...1000).contains(regrowthRate), "regrowth_rate", got: regrowthRate, expected: "in [0, 1000]")
        try require((0...1).contains(regrowthDecay), "regrowth_decay", got: regrowthDecay, expected: "in [0, 1]")
    }
}
