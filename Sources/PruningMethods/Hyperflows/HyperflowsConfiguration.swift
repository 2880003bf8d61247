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
    public var step = 0.05
    /// What γ is a multiple of.
    public var unit = Unit.flow
    /// How many epochs ahead what is left is compared with what is wanted, as it will be if it goes on as in the last
    /// one; 0 for what is left now.
    public var lookahead = 1
    /// γ_eff of all epochs of pruning, in the loss whatever the unit; 0 for the scheduler, which leads to the budget.
    public var constantPressure = 0.0
    /// The rate of t in the first epoch of regrowth, relative to that of pruning.
    public var regrowthRate = 1.0
    /// What that is multiplied by from epoch to epoch.
    public var regrowthDecay = 0.75

    /// What a pressure is measured in.
    public enum Unit: String, Codable, Sendable, CaseIterable {
        /// The mean flow in the first epoch that has any, in which there is no pressure: at γ_eff = 1 the pressure on
        /// an average coordinate is that. The same settings then suit any loss, and weights as well as channels.
        case flow
        /// The loss, as in the paper.
        case loss
    }

    public init() {}

    public func validate() throws {
        try require((1...10_000).contains(epochs), "epochs", got: epochs, expected: "1...10000")
        try require(
            (0...10_000).contains(regrowthEpochs), "regrowth_epochs", got: regrowthEpochs, expected: "0...10000")
        try require(travel > 0 && travel <= 1000, "travel", got: travel, expected: "in (0, 1000]")
        try require(step > 0 && step <= 1e6, "step", got: step, expected: "in (0, 1e6]")
        try require((0...100).contains(lookahead), "lookahead", got: lookahead, expected: "0...100")
        try require(
            constantPressure >= 0 && constantPressure <= 1e12, "constant_pressure", got: constantPressure,
            expected: "in [0, 1e12]")
        try require((0...1000).contains(regrowthRate), "regrowth_rate", got: regrowthRate, expected: "in [0, 1000]")
        try require((0...1).contains(regrowthDecay), "regrowth_decay", got: regrowthDecay, expected: "in [0, 1]")
    }
}
