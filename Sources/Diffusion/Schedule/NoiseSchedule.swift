/// How much signal and how much noise each training timestep holds: x_t = √ᾱ_t·x₀ + √(1−ᾱ_t)·ε.
///
/// Values follow diffusers 0.42.1: β and ᾱ are float32 numbers, ᾱ held as `Double` where arithmetic continues from it.
/// They agree within 1e-7 on β (1e-5 when rescaled to zero terminal SNR) and 2e-6 on ᾱ.
public struct NoiseSchedule: Equatable, Sendable {
    /// β_t, above 3e-8 and at most 1, one a training timestep.
    public let betas: [Float]
    /// ᾱ_t = Π_{s ≤ t}(1 − β_s).
    public let alphasCumprod: [Double]

    /// T.
    public var trainTimesteps: Int { betas.count }

    /// - Throws: `SchedulerError.invalidValue` where the configuration is out of range or leads to a β that is.
    public init(_ configuration: SchedulerConfiguration) throws {
        try configuration.validate()
        var betas =
            configuration.trainedBetas.map { $0.map { Float($0) } }
            ?? configuration.betaSchedule.betas(
                from: configuration.betaStart, to: configuration.betaEnd, count: configuration.trainTimesteps)
        let source =
            configuration.trainedBetas == nil
            ? "\(SchedulerKey.betaStart.rawValue) \(configuration.betaStart), "
                + "\(SchedulerKey.betaEnd.rawValue) \(configuration.betaEnd)"
            : SchedulerKey.trainedBetas.rawValue
        try Self.check(betas, source)
        if configuration.rescaleBetasZeroSNR {
            betas = Self.rescaledToZeroTerminalSNR(betas)
            try Self.check(betas, SchedulerKey.rescaleBetasZeroSNR.rawValue)
        }
        self.betas = betas
        alphasCumprod = Self.cumulativeAlphas(betas).map(Double.init)
    }

    /// √ᾱ_t, the share of x₀ in x_t.
    /// - Precondition: 0 ≤ `timestep` < T.
    public func signalCoefficient(at timestep: Int) -> Double {
        alphasCumprod[timestep].squareRoot()
    }

    /// √(1−ᾱ_t), the share of ε in x_t.
    /// - Precondition: 0 ≤ `timestep` < T.
    public func noiseCoefficient(at timestep: Int) -> Double {
        (1 - alphasCumprod[timestep]).squareRoot()
    }

    private static func check(_ betas: [Float], _ source: String) throws {
        // A β that 1 − β does not show leaves a timestep without noise, and samplers dividing by zero.
        if let step = betas.firstIndex(where: { !(1 - $0 < 1 && $0 <= 1) }) {
            throw SchedulerError.invalidValue(
                key: source, got: "β = \(betas[step]) at timestep \(step)", expected: "every β above 3e-8 and at most 1"
            )
        }
    }
}
