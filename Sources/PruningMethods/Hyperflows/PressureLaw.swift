import Foundation

/// How much is left under a constant pressure, once that has settled: a power law, or one whose exponent changes.
///
///     pure:       ln s = ln c − α₀·ln γ
///     quadratic:  s = c·exp(−(α₀·ln γ + α₁·ln² γ))
///
/// both by least squares of ln s.
///
/// Based on: Barbulescu, Alexoaie & Busoniu, "Hyperflux: Pruning Reveals Importance", 2025, arXiv 2504.05349.
public struct PressureLaw: Codable, Sendable, Equatable {
    /// What is left at a pressure.
    public struct Point: Codable, Sendable, Equatable {
        /// γ, above 0, as the loss has it.
        public let pressure: Double
        /// s, in (0, 1].
        public let remaining: Double

        /// - Parameters:
        ///   - pressure: γ, above 0, as the loss has it.
        ///   - remaining: s, in (0, 1].
        public init(pressure: Double, remaining: Double) {
            self.pressure = pressure
            self.remaining = remaining
        }
    }

    public enum Form: String, Codable, Sendable, CaseIterable {
        case pure, quadratic

        /// Pressures that there have to be.
        public var minimumPoints: Int { self == .pure ? 2 : 3 }
    }

    public let form: Form
    /// c: what is left at γ = 1, as a fraction.
    public let scale: Double
    /// α₀.
    public let exponent: Double
    /// α₁; 0 of the pure form.
    public let curvature: Double
    /// R² of ln s: 1 where the law says all; 1 too where all points have one s.
    public let determination: Double

    /// - Parameters:
    ///   - points: of at least `form.minimumPoints` different pressures.
    ///   - form: which law.
    /// - Throws: `PressureLawError.tooFewPoints`.
    public init(fitting points: [Point], form: Form) throws {
        let count = Set(points.map(\.pressure)).count
        guard count >= form.minimumPoints else { throw PressureLawError.tooFewPoints(got: count, form: form) }
        let (x, y) = (points.map { log($0.pressure) }, points.map { log($0.remaining) })
        func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
        func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
        // Orthogonal polynomials of ln γ: 1, u and v = u² − b·u − a.
        let center = mean(x)
        let u = x.map { $0 - center }
        let squares = dot(u, u)
        let slope = dot(u, y) / squares
        let (a, b) = (squares / Double(u.count), dot(u, u.map { $0 * $0 }) / squares)
        let v = u.map { $0 * $0 - b * $0 - a }
        let bend = form == .quadratic ? dot(v, y) / dot(v, v) : 0
        let level = mean(y)
        // level + slope·u + bend·v by powers of ln γ = u + center.
        let constant = level - slope * center + bend * (center * center + b * center - a)
        let linear = slope - bend * (2 * center + b)
        self.form = form
        scale = exp(constant)
        exponent = -linear
        curvature = form == .quadratic ? -bend : 0
        let residual = zip(zip(u, v), y).reduce(0) { sum, point in
            let error = point.1 - level - slope * point.0.0 - bend * point.0.1
            return sum + error * error
        }
        let total = y.reduce(0) { $0 + ($1 - level) * ($1 - level) }
        determination = total > 0 ? 1 - residual / total : 1
    }

    /// s at a pressure; above 1 where the law does not hold.
    ///
    /// - Parameter pressure: above 0.
    public func remaining(at pressure: Double) -> Double {
        let x = log(pressure)
        return scale * exp(-(exponent * x + curvature * x * x))
    }

    /// The pressure at which `remaining` is left, on the branch on which less is left at more pressure.
    ///
    /// - Parameter remaining: s, in (0, 1).
    /// - Returns: nil where the law never comes to that.
    public func pressure(leaving remaining: Double) -> Double? {
        let rest = log(scale) - log(remaining)
        let x: Double
        if curvature == 0 {
            guard exponent > 0 else { return nil }
            x = rest / exponent
        } else {
            // α₁x² + α₀x − rest = 0, with 2·α₁·x + α₀ = +√… on the falling branch; written so that an α₁ near 0 costs
            // no digits.
            let square = exponent * exponent + 4 * curvature * rest
            guard square > 0 else { return nil }
            let root = square.squareRoot()
            x = exponent > 0 ? 2 * rest / (root + exponent) : (root - exponent) / (2 * curvature)
        }
        let pressure = exp(x)
        return pressure.isFinite && pressure > 0 ? pressure : nil
    }
}

/// Why there is no law.
public enum PressureLawError: Error, CustomStringConvertible {
    case tooFewPoints(got: Int, form: PressureLaw.Form)

    public var description: String {
        switch self {
        case .tooFewPoints(let got, let form):
            "there are \(got) pressures to fit the \(form.rawValue) law to, expected at least \(form.minimumPoints)"
        }
    }
}
