/// A real number with its derivative along one direction: forward-mode differentiation of scalar code.
struct DualNumber {
    var value: Double
    var tangent: Double
}

/// The arithmetic that the per-channel part of group normalisation needs, over plain numbers or dual ones.
protocol NormalizationScalar {
    init(_ value: Double)
    static func + (a: Self, b: Self) -> Self
    static func - (a: Self, b: Self) -> Self
    static func * (a: Self, b: Self) -> Self
    static func / (a: Self, b: Self) -> Self
    func reciprocalSquareRoot() -> Self
    var primal: Double { get }
}

extension Double: NormalizationScalar {
    func reciprocalSquareRoot() -> Double { 1 / squareRoot() }
    var primal: Double { self }
}

extension DualNumber: NormalizationScalar {
    init(_ value: Double) { self.init(value: value, tangent: 0) }

    static func + (a: Self, b: Self) -> Self { Self(value: a.value + b.value, tangent: a.tangent + b.tangent) }
    static func - (a: Self, b: Self) -> Self { Self(value: a.value - b.value, tangent: a.tangent - b.tangent) }
    static func * (a: Self, b: Self) -> Self {
        Self(value: a.value * b.value, tangent: a.tangent * b.value + a.value * b.tangent)
    }
    static func / (a: Self, b: Self) -> Self {
        let quotient = a.value / b.value
        return Self(value: quotient, tangent: (a.tangent - quotient * b.tangent) / b.value)
    }
    func reciprocalSquareRoot() -> Self {
        let root = 1 / value.squareRoot()
        return Self(value: root, tangent: -0.5 * root / value * tangent)
    }
    var primal: Double { value }
}

/// Per-channel inputs of one image's group normalisation.
struct NormalizationInput<S: NormalizationScalar> {
    /// Moments of each channel over the image's pixels.
    var mean: [S], variance: [S]
    var gamma: [S], beta: [S]
    /// Gate of each channel, the weight of its moments; all one when there are none.
    var gate: [S]
    /// Per-image modulation (1 + scale, shift) applied after the affine map; (1, 0) when there is none.
    var scale: [S], shift: [S]
}

/// The affine map z = a·x + d that normalises one image.
struct NormalizationOutput<S: NormalizationScalar> {
    var a: [S], d: [S]
}

/// Adjoints of `NormalizationInput`.
struct NormalizationAdjoint<S: NormalizationScalar> {
    var mean: [S], variance: [S], gamma: [S], beta: [S], gate: [S], scale: [S], shift: [S]
}

/// Group normalisation reduced to its per-channel part. With gates m, per group:
///
///     W = Σ m_c    μ = Σ m_c·mean_c / W    v = Σ m_c·(variance_c + (mean_c − μ)²) / W    r = 1/√(v + ε)
///     a_c = γ_c·r·s_c        d_c = (β_c − μ·r·γ_c)·s_c + t_c
///
/// A group whose gates are all zero maps to zero.
struct NormalizationMath<S: NormalizationScalar> {
    /// Channels of each group.
    let groups: [[Int]]
    let epsilon: S

    private struct GroupStatistics {
        var weight: S, mean: S, variance: S, root: S
    }

    private func statistics(of group: [Int], _ input: NormalizationInput<S>) -> GroupStatistics? {
        var weight = S(0)
        var mean = S(0)
        for c in group {
            weight = weight + input.gate[c]
            mean = mean + input.gate[c] * input.mean[c]
        }
        guard weight.primal > 0 else { return nil }
        mean = mean / weight
        var variance = S(0)
        for c in group {
            let offset = input.mean[c] - mean
            variance = variance + input.gate[c] * (input.variance[c] + offset * offset)
        }
        variance = variance / weight
        return GroupStatistics(
            weight: weight, mean: mean, variance: variance, root: (variance + epsilon).reciprocalSquareRoot())
    }

    func forward(_ input: NormalizationInput<S>) -> NormalizationOutput<S> {
        let zero = [S](repeating: S(0), count: input.mean.count)
        var output = NormalizationOutput(a: zero, d: zero)
        for group in groups {
            guard let s = statistics(of: group, input) else { continue }
            for c in group {
                let slope = input.gamma[c] * s.root
                output.a[c] = slope * input.scale[c]
                output.d[c] = (input.beta[c] - s.mean * slope) * input.scale[c] + input.shift[c]
            }
        }
        return output
    }

    /// Adjoints given those of a and d.
    func backward(_ input: NormalizationInput<S>, a aBar: [S], d dBar: [S]) -> NormalizationAdjoint<S> {
        let zero = [S](repeating: S(0), count: input.mean.count)
        var adjoint = NormalizationAdjoint(
            mean: zero, variance: zero, gamma: zero, beta: zero, gate: zero, scale: zero, shift: zero)
        for group in groups {
            guard let s = statistics(of: group, input) else { continue }
            var rootBar = S(0)
            var meanBar = S(0)
            for c in group {
                let scaled = input.gamma[c] * input.scale[c]
                rootBar = rootBar + (aBar[c] - dBar[c] * s.mean) * scaled
                meanBar = meanBar - dBar[c] * s.root * scaled
                let throughGamma = (aBar[c] - dBar[c] * s.mean) * s.root
                adjoint.gamma[c] = throughGamma * input.scale[c]
                adjoint.beta[c] = dBar[c] * input.scale[c]
                adjoint.scale[c] = throughGamma * input.gamma[c] + dBar[c] * input.beta[c]
                adjoint.shift[c] = dBar[c]
            }
            // dr/dv = −r³/2; the group mean's own part in v vanishes because Σ m·(mean − μ) = 0.
            let varianceBar = rootBar * S(-0.5) * s.root * s.root * s.root
            for c in group {
                let share = input.gate[c] / s.weight
                let offset = input.mean[c] - s.mean
                adjoint.variance[c] = varianceBar * share
                adjoint.mean[c] = varianceBar * S(2) * share * offset + meanBar * share
                adjoint.gate[c] =
                    (varianceBar * (input.variance[c] + offset * offset - s.variance) + meanBar * offset) / s.weight
            }
        }
        return adjoint
    }
}
