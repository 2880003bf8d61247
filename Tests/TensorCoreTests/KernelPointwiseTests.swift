import CKernels
import Foundation
import Testing

/// A function with its derivatives in double, from its definition.
private struct FunctionCase {
    let name: String
    let function: dk_function
    /// Where it is tried.
    let arguments: [Float]
    let value: (Double) -> Double
    let slope: (Double) -> Double
    let curvature: (Double) -> Double

    init(
        _ name: String, _ kind: dk_function_kind, _ arguments: [Float], low: Float = 0, high: Float = 0,
        _ value: @escaping (Double) -> Double, _ slope: @escaping (Double) -> Double,
        _ curvature: @escaping (Double) -> Double
    ) {
        self.name = name
        function = dk_function(kind: kind, low: low, high: high)
        self.arguments = arguments
        self.value = value
        self.slope = slope
        self.curvature = curvature
    }

    /// Both signs, from far below one to `limit`.
    static func signed(to limit: Float) -> [Float] {
        let positive = (0..<2000).map { Float(exp(-20 + (log(Double(limit)) + 20) * Double($0) / 1999)) }
        return positive + positive.map(-) + (0..<999).map { Float($0 - 499) * limit / 500 + 0.0123 }
    }
    /// From near the smallest normal number to the square root of the largest, so that the square is finite.
    static let positive = (0..<4000).map { Float(exp(-40 + 83 * Double($0) / 3999)) }

    static var all: [FunctionCase] {
        [
            FunctionCase(
                "sigmoid", DK_SIGMOID, signed(to: 80), { 1 / (1 + exp(-$0)) },
                { exp(-abs($0)) / ((1 + exp(-abs($0))) * (1 + exp(-abs($0)))) },
                { exp(-abs($0)) / ((1 + exp(-abs($0))) * (1 + exp(-abs($0)))) * -tanh($0 / 2) }),
            FunctionCase("exp", DK_EXP, signed(to: 80), exp, exp, exp),
            FunctionCase("log", DK_LOG, positive, log, { 1 / $0 }, { -1 / ($0 * $0) }),
            FunctionCase("abs", DK_ABS, signed(to: 1e20), abs, { $0 < 0 ? -1 : 1 }, { _ in 0 }),
            FunctionCase(
                "sqrt", DK_SQRT, positive, sqrt, { 0.5 / $0.squareRoot() }, { -0.25 / ($0 * $0.squareRoot()) }),
            FunctionCase(
                "reciprocal", DK_RECIPROCAL, signed(to: 1e6), { 1 / $0 }, { -1 / ($0 * $0) }, { 2 / ($0 * $0 * $0) }),
            FunctionCase("sign", DK_SIGN, signed(to: 1e20), { $0 < 0 ? -1 : 1 }, { _ in 0 }, { _ in 0 }),
            FunctionCase(
                "clamp", DK_CLAMP, signed(to: 3), low: -0.25, high: 1.5, { min(max($0, -0.25), 1.5) },
                { $0 >= -0.25 && $0 <= 1.5 ? 1 : 0 }, { _ in 0 }),
            FunctionCase(
                "softplus", DK_SOFTPLUS, signed(to: 80), { max($0, 0) + log1p(exp(-abs($0))) }, { 1 / (1 + exp(-$0)) },
                { exp(-abs($0)) / ((1 + exp(-abs($0))) * (1 + exp(-abs($0)))) }),
        ]
    }

    func evaluate(_ order: Int32, _ x: [Float]) -> [Float] {
        var y = [Float](repeating: .nan, count: x.count)
        dk_apply(function, order, 1, x, nil, nil, x.count, &y, 0)
        return y
    }
}

extension KernelTests {
    /// To a few units in the last place of the result itself, however small.
    @Test func functionsAndTheirDerivativesMatchDouble() {
        onEveryISA { isa in
            for check in FunctionCase.all {
                for (order, expected) in [check.value, check.slope, check.curvature].enumerated() {
                    var worst = (error: 0.0, x: Float(0))
                    for (y, x) in zip(check.evaluate(Int32(order), check.arguments), check.arguments) {
                        let value = expected(Double(x))
                        // The curvature of a sigmoid goes through zero: it is good to a part of the slope.
                        let scale = check.name == "sigmoid" && order == 2 ? check.slope(Double(x)) : abs(value)
                        let error = abs(Double(y) - value) / max(scale, 1e-37)
                        if !(error <= worst.error) { worst = (error, x) }
                    }
                    #expect(worst.error <= 4e-7, "\(isa) \(check.name), order \(order), at \(worst.x)")
                }
            }
        }
    }

    @Test func functionsAtTheirEdges() {
        onEveryISA { isa in
            func value(_ kind: dk_function_kind, _ order: Int32, _ x: Float) -> Float {
                var y = Float.nan
                dk_apply(dk_function(kind: kind, low: -1, high: 2), order, 1, [x], nil, nil, 1, &y, 0)
                return y
            }
            for x in [Float.infinity, 3e38, 1e4] {
                #expect(value(DK_SIGMOID, 0, x) == 1 && value(DK_SIGMOID, 1, x) == 0 && value(DK_SIGMOID, 2, x) == 0)
                #expect(value(DK_SIGMOID, 0, -x) == 0 && value(DK_SIGMOID, 1, -x) == 0 && value(DK_SIGMOID, 2, -x) == 0)
                #expect(value(DK_SOFTPLUS, 0, x) == x && value(DK_SOFTPLUS, 1, x) == 1 && value(DK_SOFTPLUS, 2, x) == 0)
                #expect(value(DK_SOFTPLUS, 0, -x) == 0 && value(DK_SOFTPLUS, 1, -x) == 0)
                #expect(value(DK_EXP, 0, x) == .infinity && value(DK_EXP, 0, -x) == 0, "\(isa)")
                #expect(value(DK_CLAMP, 0, x) == 2 && value(DK_CLAMP, 0, -x) == -1 && value(DK_CLAMP, 1, x) == 0)
                #expect(value(DK_SIGN, 0, x) == 1 && value(DK_SIGN, 0, -x) == -1 && value(DK_ABS, 0, -x) == x)
            }
            #expect(value(DK_LOG, 0, .infinity) == .infinity && value(DK_LOG, 0, 1) == 0, "\(isa)")
            #expect(value(DK_LOG, 0, 0) == -.infinity && value(DK_LOG, 0, -0.0) == -.infinity, "\(isa)")
            #expect(value(DK_LOG, 0, -1).isNaN && value(DK_SQRT, 0, -1).isNaN, "\(isa)")
            #expect(value(DK_SQRT, 0, 0) == 0 && value(DK_SQRT, 1, 0) == .infinity, "\(isa)")
            #expect(value(DK_RECIPROCAL, 0, 0) == .infinity && value(DK_RECIPROCAL, 0, .infinity) == 0, "\(isa)")
            for zero in [Float(0), -0.0] {
                #expect(value(DK_SIGN, 0, zero) == 0 && value(DK_ABS, 1, zero) == 0, "\(isa)")
            }
            #expect(value(DK_CLAMP, 1, -1) == 1 && value(DK_CLAMP, 1, 2) == 1, "\(isa)")
            for check in FunctionCase.all {
                for order in Int32(0)...2 {
                    #expect(check.evaluate(order, [.nan])[0].isNaN, "\(isa) \(check.name), order \(order)")
                }
            }
        }
    }

    @Test func aFunctionsBitsDoNotDependOnThePosition() {
        onEveryISA { isa in
            for check in FunctionCase.all {
                let x = Array(check.arguments.prefix(77))
                for order in Int32(0)...2 {
                    let whole = check.evaluate(order, x), single = x.flatMap { check.evaluate(order, [$0]) }
                    #expect(sameBits(whole, single), "\(isa) \(check.name), order \(order)")
                }
            }
        }
    }

    @Test func functionFactorsScaleAndAccumulate() {
        onEveryISA { isa in
            var random = KernelRandom(52)
            for n in Self.lengths {
                let x = random.values(n), u = random.values(n), v = random.values(n), start = random.values(n)
                var y = start
                dk_apply(dk_function(kind: DK_SOFTPLUS, low: 0, high: 0), 1, -0.5, x, u, v, n, &y, 1)
                let expected = x.indices.map {
                    -0.5 / (1 + exp(-Double(x[$0]))) * Double(u[$0]) * Double(v[$0]) + Double(start[$0])
                }
                #expect(worstError(y, expected) < 3e-7, "\(isa) \(n)")
            }
        }
    }

    @Test func sumsAreTakenInDouble() {
        onEveryISA { isa in
            var random = KernelRandom(53)
            for n in Self.lengths {
                // Large terms that cancel leave the small ones, to the last digit that a double has.
                let small = random.values(n), x = small.flatMap { [$0, 1e6] } + small.map { _ in -1e6 }
                let expected = small.reduce(0) { $0 + Double($1) }
                #expect(abs(dk_sum(x, x.count) - expected) < 1e-4, "\(isa) \(n)")
            }
            #expect(dk_sum([], 0) == 0)
        }
    }
}
