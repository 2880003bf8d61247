import Foundation
import TensorCore

extension DerivativeCheck {
    private static func function(
        _ function: Pointwise, _ draw: Draw = .normal, _ reference: @escaping @Sendable (Double) -> Double
    ) -> DerivativeCheck {
        DerivativeCheck("\(function)", [[4, 7]], draws: [draw]) {
            $0[0].map(reference)
        } engine: {
            $0[0].applying(function)
        }
    }

    static let functions = [
        function(.sigmoid) { 1 / (1 + exp(-$0)) },
        function(.exponential) { exp($0) },
        function(.logarithm, .gate) { log($0) },
        function(.absoluteValue, .awayFromZero) { abs($0) },
        function(.squareRoot, .gate) { $0.squareRoot() },
        function(.reciprocal, .gate) { 1 / $0 },
        function(.sign, .awayFromZero) { $0 > 0 ? 1 : -1 },
        function(.softplus) { log1p(exp($0)) },
        function(.clamp(low: -0.5, high: 0.75)) { min(max($0, -0.5), 0.75) },
        DerivativeCheck("adding a constant", [[3, 5]]) {
            $0[0].map { $0 - 1.5 }
        } engine: {
            $0[0].adding(-1.5)
        },
        DerivativeCheck("scaling by a scalar", [[3, 5], []]) { x in
            x[0].map { $0 * x[1].values[0] }
        } engine: {
            $0[0].scaled(by: $0[1])
        },
        DerivativeCheck("a straight-through value of slope 1/2", [[3, 5]]) {
            $0[0].map { 0.5 * $0 + 3 }
        } engine: {
            $0[0].straightThrough(value: $0[0].scaled(by: 0.5).adding(3).value, factor: 0.5)
        },
    ]

    static let reductions = [
        DerivativeCheck("sum of all elements", [[3, 5]]) {
            DoubleArray([], [$0[0].values.reduce(0, +)])
        } engine: {
            $0[0].summed(over: .all)
        },
        DerivativeCheck("sum over the last dimension", [[2, 3, 19]]) {
            Reference.rowSums($0[0])
        } engine: {
            $0[0].summed(over: .last)
        },
        DerivativeCheck("mean over the last dimension", [[2, 3, 5]]) {
            Reference.rowSums($0[0]).map { $0 / 5 }
        } engine: {
            $0[0].averaged(over: .last)
        },
        DerivativeCheck("sum over the leading dimension", [[4, 2, 3]]) { x in
            DoubleArray([2, 3], (0..<6).map { i in (0..<4).reduce(0) { $0 + x[0].values[$1 * 6 + i] } })
        } engine: {
            $0[0].summed(over: .leading)
        },
        DerivativeCheck("mean over the leading dimension", [[4]]) {
            DoubleArray([], [$0[0].values.reduce(0, +) / 4])
        } engine: {
            $0[0].averaged(over: .leading)
        },
        DerivativeCheck("a scalar broadcast", [[]]) {
            DoubleArray([2, 3], Array(repeating: $0[0].values[0], count: 6))
        } engine: {
            $0[0].broadcast(to: [2, 3])
        },
        DerivativeCheck("channels broadcast", [[3]]) {
            DoubleArray([2, 2, 3], Array(repeating: $0[0].values, count: 4).flatMap { $0 })
        } engine: {
            $0[0].broadcast(to: [2, 2, 3])
        },
    ]

    /// What the operations are for, put together.
    static let masks = [
        // Louizos, Welling & Kingma, 2018: β = 2/3, γ = −0.1, ζ = 1.1, for noise u; gates and weights together.
        DerivativeCheck("a hard-concrete gate", [[2, 4, 6], [6]], seed: 12) { x in
            let gate = zip(x[1].values, noise).map { logAlpha, u in
                let s = 1 / (1 + exp(-(log(u) - log(1 - u) + logAlpha) / (2.0 / 3)))
                return min(max(1.2 * s - 0.1, 0), 1)
            }
            return Reference.gate(x[0], DoubleArray([6], gate))
        } engine: {
            let u = Variable(DoubleArray([6], noise).tensor)
            let logit = u.applying(.logarithm) - u.scaled(by: -1).adding(1).applying(.logarithm)
            let gate = (logit + $0[1]).scaled(by: 1.5).applying(.sigmoid).scaled(by: 1.2).adding(-0.1)
            return $0[0].gated(by: gate.applying(.clamp(low: 0, high: 1)))
        },
        // Kusupati et al., 2020: sign(w)·relu(|w| − σ(s))
        DerivativeCheck("a soft threshold", [[4, 5], []]) { x in
            let threshold = 1 / (1 + exp(-x[1].values[0]))
            return x[0].map { ($0 < 0 ? -1 : 1) * max(abs($0) - threshold, 0) }
        } engine: {
            let threshold = $0[1].applying(.sigmoid).broadcast(to: $0[0].shape)
            let size = ($0[0].applying(.absoluteValue) - threshold).activated(.relu)
            return $0[0].applying(.sign).multiplied(by: size)
        },
        // Jang, Gu & Poole, 2017: softmax of two logits at temperature 1/2
        DerivativeCheck("a Gumbel softmax of two", [[3, 4], [3, 4]]) {
            DoubleArray($0[0].shape, zip($0[0].values, $0[1].values).map { exp(2 * $0) / (exp(2 * $0) + exp(2 * $1)) })
        } engine: {
            let (a, b) = ($0[0].scaled(by: 2).applying(.exponential), $0[1].scaled(by: 2).applying(.exponential))
            return a.multiplied(by: (a + b).applying(.reciprocal))
        },
        DerivativeCheck("the root of a mean of squares, regularised", [[3, 4]]) {
            DoubleArray([], [sqrt($0[0].values.reduce(0) { $0 + $1 * $1 } / 12 + 0.01)])
        } engine: {
            $0[0].multiplied(by: $0[0]).averaged(over: .all).adding(0.01).applying(.squareRoot)
        },
    ]

    private static let noise = [0.25, 0.5, 0.75, 0.375, 0.625, 0.125]
}
