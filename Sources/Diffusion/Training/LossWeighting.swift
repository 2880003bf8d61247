/// How much each timestep counts in a loss.
public enum LossWeighting: String, Codable, Sendable, CaseIterable {
    /// All the same: Ho et al.'s simple loss for ε.
    case uniform
    /// Estimates of x₀ count by the signal-to-noise ratio, but by no more than `Self.signalLimit`: predictions of ε at
    /// little noise, whose errors are large and show little in pictures, count less.
    ///
    ///     w_t = min(SNR, γ)/SNR for ε,  min(SNR, γ) for x₀,  min(SNR, γ)/(SNR + 1) for v;   SNR = ᾱ/(1 − ᾱ)
    ///
    /// Based on: Hang et al., "Efficient Diffusion Training via Min-SNR Weighting Strategy", ICCV 2023,
    /// arXiv 2303.09556.
    case minSNR = "min-snr"

    /// γ, as in the paper.
    public static let signalLimit = 5.0

    /// The weight of a squared error of what the model predicts.
    ///
    /// - Parameters:
    ///   - signal: √ᾱ_t.
    ///   - noise: √(1 − ᾱ_t).
    ///   - type: what the model predicts.
    public func weight(signal: Double, noise: Double, predicting type: PredictionType) -> Double {
        guard self == .minSNR else { return 1 }
        // In squares, so that neither end of the schedule divides by zero: SNR = s/n.
        let (s, n) = (signal * signal, noise * noise)
        return switch type {
        case .epsilon: s <= Self.signalLimit * n ? 1 : Self.signalLimit * n / s
        case .sample: s <= Self.signalLimit * n ? s / n : Self.signalLimit
        case .velocity: min(s, Self.signalLimit * n) / (s + n)
        }
    }
}
