import Foundation

/// How much is left at a given progress of a run: pure, so that a resumed run needs no state.
public enum MaskSchedule: String, Codable, Sendable, CaseIterable {
    /// Equal steps.
    case linear
    /// d_f + (1 − d_f)·(1 − p)³: most leaves early (Zhu & Gupta, 2017).
    case cubic
    /// Equal factors: d_f^p.
    case exponential

    /// Density (fraction of the cost left) at `progress` ∈ [0, 1], from 1 down to `final`.
    public func density(at progress: Double, final: Double) -> Double {
        let p = min(max(progress, 0), 1)
        switch self {
        case .linear: return 1 + (final - 1) * p
        case .cubic: return final + (1 - final) * (1 - p) * (1 - p) * (1 - p)
        case .exponential: return pow(final, p)
        }
    }
}
