/// How the timesteps of a training batch are drawn.
public enum TimestepSampling: String, Codable, Sendable, CaseIterable {
    case uniform
    /// The second half of a batch mirrors the first, t and T − 1 − t: less variance in the loss.
    case antithetic
}
