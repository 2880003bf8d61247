/// How binary masks stand at the end of an epoch in which a pressure pushed everything towards leaving, and gradients
/// held against it.
public struct PressureReport: Codable, Sendable, Equatable {
    public enum Stage: String, Codable, Sendable {
        /// There is pressure.
        case pruning
        /// There is none: what is missed comes back.
        case regrowth
    }

    /// From 1, over both stages.
    public let epoch: Int
    public let stage: Stage
    /// γ, as it was in the epoch; at least 0.
    public let pressure: Double
    /// What γ comes to in the loss.
    public let effectivePressure: Double
    /// Fraction of the cost that is left, 0…1: that of the first limit, or where one further behind would be in step.
    public let remaining: Double
    /// Fraction that was to be left by now; nil where nothing leads there.
    public let wanted: Double?
    /// Coordinates whose mask is zero.
    public let pruned: Int
    /// The same as a fraction of all coordinates, 0…1.
    public let prunedShare: Double
    /// Mean |gradient| that the pruned felt over the steps of the epoch, pressure apart; nil where none was pruned.
    public let prunedFlow: Double?
    /// The same of those that were there.
    public let liveFlow: Double?

    enum CodingKeys: String, CodingKey {
        case epoch, stage, pressure, remaining, wanted, pruned
        case effectivePressure = "effective_pressure"
        case prunedShare = "pruned_share"
        case prunedFlow = "pruned_flow"
        case liveFlow = "live_flow"
    }

    /// - Parameters:
    ///   - epoch: from 1, over both stages.
    ///   - stage: whether there is pressure.
    ///   - pressure: γ, as it was in the epoch.
    ///   - effectivePressure: what γ comes to in the loss.
    ///   - remaining: fraction of the cost that is left.
    ///   - wanted: fraction that was to be left by now; nil where nothing leads there.
    ///   - pruned: coordinates whose mask is zero.
    ///   - count: of all coordinates.
    ///   - prunedFlow: mean |gradient| that the pruned felt; nil where none was pruned.
    ///   - liveFlow: the same of those that were there.
    public init(
        epoch: Int, stage: Stage, pressure: Double, effectivePressure: Double, remaining: Double, wanted: Double?,
        pruned: Int, of count: Int, prunedFlow: Double?, liveFlow: Double?
    ) {
        self.epoch = epoch
        self.stage = stage
        self.pressure = pressure
        self.effectivePressure = effectivePressure
        self.remaining = remaining
        self.wanted = wanted
        self.pruned = pruned
        prunedShare = Double(pruned) / Double(max(count, 1))
        self.prunedFlow = prunedFlow
        self.liveFlow = liveFlow
    }
}
