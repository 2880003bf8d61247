import Foundation

/// Tick marks at round numbers.
enum Ticks {
    /// The smallest of 1, 2, 5 × 10ᵏ that cuts a span into at most `count` steps.
    static func niceStep(span: Double, count: Int) -> Double {
        let rough = span / Double(max(1, count))
        let power = pow(10, floor(log10(rough)))
        for factor in [1.0, 2, 5] where factor * power >= rough * 0.999_999 {
            return factor * power
        }
        return 10 * power
    }

    static func linear(low: Double, high: Double, step: Double) -> [AxisScale.Tick] {
        let first = (low / step - 1e-6).rounded(.up)
        let last = (high / step + 1e-6).rounded(.down)
        guard last >= first, last - first < 1000 else { return [] }
        // Multiples of the step and not a running sum, which would end at 0.30000000000000004.
        let values = (0...Int(last - first)).map { (first + Double($0)) * step }
        return labelled(values, step: step)
    }

    /// Widens to powers of ten when the data covers most of a decade, else to 1, 2 or 5 × 10ᵏ.
    static func niceLogarithmicEnds(low: Double, high: Double) -> (Double, Double) {
        func snap(_ value: Double, up: Bool) -> Double {
            let power = pow(10, floor(log10(value)))
            let stops = [1, 2, 5, 10].map { $0 * power }
            return up
                ? stops.first { $0 >= value * 0.999_999 } ?? value
                : stops.last { $0 <= value * 1.000_001 } ?? value
        }
        return (snap(low, up: false), snap(high, up: true))
    }

    static func logarithmic(low: Double, high: Double, count: Int) -> [AxisScale.Tick] {
        let decades = log10(high / low)
        if decades < 0.5 {
            // So little of a decade looks linear; round numbers at even steps read best.
            return linear(low: low, high: high, step: niceStep(span: high - low, count: max(2, count / 2)))
        }
        let stride = max(1, Int((decades / Double(count)).rounded(.up)))
        let factors: [Double] = decades * 3 <= Double(count) + 1 ? [1, 2, 5] : [1]
        let firstPower = Int(floor(log10(low)))
        let lastPower = Int(ceil(log10(high)))
        var ticks: [AxisScale.Tick] = []
        for power in firstPower...lastPower where power % stride == 0 {
            for factor in factors {
                // Dividing by an exact power of ten gives 0.002, where multiplying by 0.001 may not.
                let value = power < 0 ? factor / pow(10, Double(-power)) : factor * pow(10, Double(power))
                if value >= low * 0.999_999, value <= high * 1.000_001 {
                    ticks.append(AxisScale.Tick(value: value, label: logarithmicLabel(value, factor, power)))
                }
            }
        }
        return ticks
    }

    private static func logarithmicLabel(_ value: Double, _ factor: Double, _ power: Int) -> String {
        if (-3...4).contains(power) { return NumberText.short(value) }
        let digits = Array("⁰¹²³⁴⁵⁶⁷⁸⁹")
        let exponent = String(abs(power)).compactMap { $0.wholeNumberValue.map { digits[$0] } }
        let base = factor == 1 ? "10" : "\(Int(factor))·10"
        return base + (power < 0 ? "⁻" : "") + String(exponent)
    }

    /// Labels with as many decimals as the step needs, and one common prefix for large numbers.
    private static func labelled(_ values: [Double], step: Double) -> [AxisScale.Tick] {
        let largest = values.reduce(0) { max($0, abs($1)) }
        let prefixes: [(Double, String)] = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")]
        var (scale, suffix) = (1.0, "")
        if largest >= 1e4, let prefix = prefixes.first(where: { largest >= $0.0 }) {
            (scale, suffix) = prefix
        }
        let scaledStep = step / scale
        let isExtreme = largest / scale >= 1e6 || (largest > 0 && largest < 1e-4)
        let decimals = min(12, max(0, Int(ceil(-log10(scaledStep) - 1e-9))))
        return values.map { value in
            let label: String
            if value == 0 {
                label = "0"
            } else if isExtreme {
                label = NumberText.short(value, digits: 3)
            } else {
                label = NumberText.fixed(value / scale, decimals: decimals, keepZeros: true) + suffix
            }
            return AxisScale.Tick(value: value, label: label)
        }
    }
}
