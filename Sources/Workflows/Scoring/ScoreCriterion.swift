import Runs

/// What `score` can compute, by the names users type.
public enum ScoreCriterion: String, CaseIterable, Sendable {
    /// |w|
    case magnitude
    /// |w·g|
    case taylor
    /// |w·g|, under the name of Lee et al., 2019
    case snip
    /// −w·(Hg), signed
    case gradientFlow = "gradient-flow"
    /// ½·mean_n(g_n²)·w²
    case fisher
    /// ½·diag(H)·w², estimated
    case obd
    /// Uniform in [0, 1)
    case random
    /// |w·Σ_t g_t| over the timesteps that matter
    case diffPruning = "diff-pruning"

    /// Whether scores cannot be had without a batch or data.
    public var needsImages: Bool { self != .magnitude && self != .random }

    public init(named name: String) throws {
        guard let criterion = Self(rawValue: name) else {
            throw RequestError.unknown(kind: "criterion", name: name, legal: Self.allCases.map(\.rawValue))
        }
        self = criterion
    }
}
