import Files
import Foundation

/// How the learning rate runs over a training: a linear warm-up, then one of these. With p the share of the steps after
/// the warm-up that is done, and f = `finalFraction`, the factor on the peak rate is
///
///     constant          1
///     linear            1 − (1 − f)·p
///     cosine            f + (1 − f)·(1 + cos πp)/2
///     cosine-restarts   the same of the part of p·`cycles` behind the point, f at the end (Loshchilov & Hutter, 2017)
///     polynomial        f + (1 − f)·(1 − p)^`power`
///     exponential       f^p, equal factors
///     steps             `decay`^n, n of the `milestones` being passed
public struct LearningRateSchedule: Codable, Sendable, Equatable {
    public enum Shape: String, Codable, Sendable, CaseIterable {
        case constant, linear, cosine
        case cosineRestarts = "cosine-restarts"
        case polynomial, exponential, steps
    }
    public var shape: Shape = .constant
    public var warmUpSteps = 0
    public var finalFraction = 0.0
    /// How often `cosine-restarts` begins at the peak.
    public var cycles = 1
    /// The exponent of `polynomial`.
    public var power = 2.0
    /// Where `steps` falls, ascending shares of the steps after the warm-up.
    public var milestones = [0.5, 0.75]
    /// What `steps` multiplies by at each of them.
    public var decay = 0.1

    public init(shape: Shape = .constant, warmUpSteps: Int = 0, finalFraction: Double = 0) {
        self.shape = shape
        self.warmUpSteps = warmUpSteps
        self.finalFraction = finalFraction
    }

    /// Whether the rate is the same at every step.
    public var isFlat: Bool { shape == .constant && warmUpSteps == 0 }

    /// The factor on the peak rate at `step` (from 0) of `total`. Pure, so that a resumed run needs no state.
    public func factor(step: Int, total: Int) -> Double {
        if step < warmUpSteps { return Double(step + 1) / Double(warmUpSteps + 1) }
        let span = max(total - warmUpSteps, 1)
        let progress = min(1, Double(step - warmUpSteps) / Double(span))
        func cosine(_ progress: Double) -> Double {
            finalFraction + (1 - finalFraction) * 0.5 * (1 + cos(.pi * progress))
        }
        switch shape {
        case .constant: return 1
        case .linear: return 1 - (1 - finalFraction) * progress
        case .cosine: return cosine(progress)
        case .cosineRestarts:
            let cycle = Double(cycles) * progress
            return progress < 1 ? cosine(cycle - cycle.rounded(.down)) : finalFraction
        case .polynomial: return finalFraction + (1 - finalFraction) * pow(1 - progress, power)
        case .exponential: return pow(finalFraction, progress)
        case .steps: return milestones.reduce(1) { progress >= $1 ? $0 * decay : $0 }
        }
    }

    /// - Throws: `SettingError`, its keys those of the schedule's own.
    func validate() throws {
        try require(warmUpSteps >= 0, "warm_up_steps", got: warmUpSteps, expected: "at least 0")
        try require(
            (0...1).contains(finalFraction), "final_fraction", got: finalFraction, expected: "in [0, 1]")
        try require(
            shape != .exponential || finalFraction > 0, "final_fraction", got: finalFraction,
            expected: "above 0 with shape 'exponential': equal factors never come to 0")
        try require((1...10_000).contains(cycles), "cycles", got: cycles, expected: "1...10000")
        try require(power > 0 && power <= 100, "power", got: power, expected: "in (0, 100]")
        try require(
            milestones.allSatisfy { $0 > 0 && $0 < 1 }
                && zip(milestones, milestones.dropFirst()).allSatisfy { $0 < $1 },
            "milestones", got: milestones, expected: "ascending numbers in (0, 1)")
        try require(decay > 0 && decay <= 1, "decay", got: decay, expected: "in (0, 1]")
    }
}
