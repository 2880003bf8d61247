import Foundation

/// Student's t distribution, for confidence intervals of a mean.
public enum StudentT {
    /// The t with P(|T| ≤ t) = `confidence`, for example 12.706 for 0.95 and one degree of freedom.
    ///
    /// P(|T| > t) = I_x(ν/2, ½) with x = ν/(ν + t²) (Abramowitz & Stegun 26.7.1); it falls monotonically in t, so
    /// bisection finds t to the last bits without a starting guess.
    /// - Parameters:
    ///   - confidence: strictly between 0 and 1; anything else is a programming error.
    ///   - degreesOfFreedom: at least 1; less is a programming error.
    public static func twoSidedQuantile(confidence: Double, degreesOfFreedom: Int) -> Double {
        precondition(confidence > 0 && confidence < 1, "confidence must lie strictly between 0 and 1")
        precondition(degreesOfFreedom >= 1, "Student's t needs at least one degree of freedom")
        let tail = 1 - confidence
        var low = 0.0
        var high = 1.0
        while twoSidedTail(high, Double(degreesOfFreedom)) > tail {
            low = high
            high *= 2
        }
        while true {
            let middle = low + (high - low) / 2
            guard middle > low, middle < high else { return high }
            if twoSidedTail(middle, Double(degreesOfFreedom)) > tail {
                low = middle
            } else {
                high = middle
            }
        }
    }

    /// P(|T| > t).
    private static func twoSidedTail(_ t: Double, _ nu: Double) -> Double {
        let square = t * t
        return regularisedBeta(nu / (nu + square), complement: square / (nu + square), nu / 2, 0.5)
    }

    /// I_x(a, b). `complement` is 1 − x, passed so that it keeps its digits when x is close to 1.
    private static func regularisedBeta(_ x: Double, complement: Double, _ a: Double, _ b: Double) -> Double {
        if x <= 0 { return 0 }
        if complement <= 0 { return 1 }
        let logFront = lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(complement)
        // The continued fraction converges fast below the mean;
        // above it the symmetry I_x(a,b) = 1 − I_{1−x}(b,a) helps.
        if x < (a + 1) / (a + b + 2) {
            return exp(logFront) * betaFraction(x, a, b) / a
        }
        return 1 - exp(logFront) * betaFraction(complement, b, a) / b
    }

    /// The continued fraction of the incomplete beta function (Abramowitz & Stegun 26.5.8), by Lentz's method.
    private static func betaFraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
        let tiny = 1e-300
        func guarded(_ value: Double) -> Double { abs(value) < tiny ? tiny : value }
        var c = 1.0
        var d = 1 / guarded(1 - (a + b) * x / (a + 1))
        var fraction = d
        for m in 1...10_000 {
            let m = Double(m)
            let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
            d = 1 / guarded(1 + even * d)
            c = guarded(1 + even / c)
            fraction *= d * c
            let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
            d = 1 / guarded(1 + odd * d)
            c = guarded(1 + odd / c)
            let step = d * c
            fraction *= step
            if abs(step - 1) < 1e-16 { break }
        }
        return fraction
    }
}
