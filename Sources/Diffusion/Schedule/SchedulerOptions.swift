/// How β goes from the first training timestep to the last.
public enum BetaSchedule: String, Codable, Sendable, CaseIterable {
    /// Evenly from `beta_start` to `beta_end`.
    case linear
    /// The square of an even walk from √`beta_start` to √`beta_end`.
    case scaledLinear = "scaled_linear"
    /// From ᾱ(t) = cos²((t + .008)/1.008 · π/2), β at most .999; Nichol & Dhariwal 2021.
    case squaredCosine = "squaredcos_cap_v2"
    /// A sigmoid over −6 … 6, scaled to `beta_start` … `beta_end`.
    case sigmoid
    /// From a Laplace distribution of log-SNR, β at most .999.
    case laplace
}

/// What the network's output stands for.
public enum PredictionType: String, Codable, Sendable, CaseIterable {
    /// The noise ε.
    case epsilon
    /// The clean sample x₀.
    case sample
    /// The velocity v = √ᾱ·ε − √(1−ᾱ)·x₀.
    case velocity = "v_prediction"
}

/// The variance of DDPM's reverse step.
public enum VarianceType: String, Codable, Sendable, CaseIterable {
    /// β̃ = (1−ᾱ_prev)/(1−ᾱ_t)·β, at least 1e-20.
    case fixedSmall = "fixed_small"
    /// The same as `fixedSmall`, reached through its logarithm.
    case fixedSmallLog = "fixed_small_log"
    /// β.
    case fixedLarge = "fixed_large"
    /// β, reached through its logarithm.
    ///
    /// Differs from diffusers 0.42.1, whose step takes the square root of log β and so gives NaN.
    case fixedLargeLog = "fixed_large_log"
    /// The network's own output is the variance; below zero counts as zero.
    case learned
    /// The network interpolates, −1 … 1, between log β̃ and log β; Nichol & Dhariwal 2021.
    case learnedRange = "learned_range"

    /// Whether the network has to give a variance beside its prediction.
    public var isLearned: Bool { self == .learned || self == .learnedRange }
}

/// Which of the training timesteps a sampler visits.
public enum TimestepSpacing: String, Codable, Sendable, CaseIterable {
    /// (0, 1, …)·(T // n) + `steps_offset`.
    case leading
    /// Evenly from 0 to T − 1, both included, rounded half to even.
    case linspace
    /// T, T − T/n, …, rounded half to even, less one.
    case trailing
    /// int(linspace(0, √(0.8·T), n)²): dense near 0, where timesteps may repeat; never above 0.8·T.
    ///
    /// Used for CIFAR-10 by DDIM (Song 2020) and Diff-Pruning (Fang 2023). diffusers does not know it.
    case quadratic = "quad"
}
