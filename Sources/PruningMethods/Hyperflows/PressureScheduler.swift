import Foundation

/// Raises the pressure while too much is left and lowers it while too little is, the faster the longer that lasts.
///
///     too dense:     γ ← γ + step + i⁺,             i⁺ ← i⁺ + step/4,   i⁻ ← 0
///     else:          γ ← max(γ − step − i⁻, 0),     i⁻ ← i⁻ + step/4,   i⁺ ← 0
///     γ_eff = γ^1.5
///
/// Based on: arXiv 2504.05349 with its released code.
struct PressureScheduler: Codable, Equatable {
    /// γ.
    private(set) var pressure = 0.0
    /// i⁺ and i⁻.
    private var rise = 0.0
    private var fall = 0.0

    /// γ_eff, which the loss has.
    var effective: Double { Self.effective(pressure) }

    static func effective(_ pressure: Double) -> Double { pressure * pressure.squareRoot() }

    /// The γ whose γ_eff is `effective`.
    static func pressure(of effective: Double) -> Double { pow(effective, 2.0 / 3) }

    /// After an epoch.
    ///
    /// - Parameters:
    ///   - isTooDense: whether more is left than was wanted.
    ///   - step: above 0.
    mutating func advance(isTooDense: Bool, step: Double) {
        if isTooDense {
            pressure += step + rise
            rise += step / 4
            fall = 0
        } else {
            pressure = max(pressure - step - fall, 0)
            fall += step / 4
            rise = 0
        }
    }
}
