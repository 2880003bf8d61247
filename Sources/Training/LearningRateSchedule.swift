import Foundation

/// How the learning rate runs over a training: a linear warm-up, then one of these down to `finalFraction` of the peak.
public struct LearningRateSchedule: Codable, Sendable, Equatable {
    public enum Shape: String, Codable, Sendable, CaseIterable {
        case constant, linear, cosine
    }
    public var shape: Shape = .constant
    public var warmUpSteps = 0
    public var finalFraction = 0.0

    public init(shape: Shape = .constant, warmUpSteps: Int = 0, finalFraction: Double = 0) {
        self.shape = shape
        self.warmUpSteps = warmUpSteps
        self.finalFraction = finalFraction
    }

    /// The factor on the peak rate at `step` (from 0) of `total`. Pure, so that a resumed run needs no state.
    public func factor(step: Int, total: Int) -> Double {
        if step < warmUpSteps { return Double(step + 1) / Double(warmUpSteps + 1) }
        let span = max(total - warmUpSteps, 1)
        let progress = min(1, Double(step - warmUpSteps) / Double(span))
        switch shape {
        case .constant: return 1
        case .linear: return 1 - (1 - finalFraction) * progress
        case .cosine: return finalFraction + (1 - finalFraction) * 0.5 * (1 + cos(.pi * progress))
        }
    }
}
