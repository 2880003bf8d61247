import CKernels
import Foundation
import Testing

extension KernelTests {
    static let lengths = [1, 3, 16, 47, 20_001]

    @Test func combinationsAndProductsMatch() {
        onEveryISA { isa in
            var random = KernelRandom(41)
            for n in Self.lengths {
                let x = random.values(n), z = random.values(n), start = random.values(n)
                for accumulate in [false, true] {
                    func check(_ expected: (Int) -> Double, _ call: (inout [Float], Int32) -> Void) {
                        var y = accumulate ? start : [Float](repeating: .nan, count: n)
                        call(&y, accumulate ? 1 : 0)
                        let reference = (0..<n).map { expected($0) + (accumulate ? Double(start[$0]) : 0) }
                        #expect(worstError(y, reference) < 3e-7, "\(isa) \(n)")
                    }
                    check({ 2 * Double(x[$0]) }) { dk_linear_combination(2, x, 9, nil, n, &$0, $1) }
                    check({ 0.5 * Double(x[$0]) - 3 * Double(z[$0]) }) {
                        dk_linear_combination(0.5, x, -3, z, n, &$0, $1)
                    }
                    check({ 1.5 * Double(x[$0]) * Double(z[$0]) }) { dk_multiply(1.5, x, z, n, &$0, $1) }
                }
                var y = x
                dk_fill(-2, &y, n)
                #expect(y.allSatisfy { $0 == -2 })
            }
        }
    }

    @Test func matricesAreCopiedByRows() {
        onEveryISA { isa in
            var random = KernelRandom(42)
            for (rows, cols, from, to) in [
                (3, 5, 9, 7), (40, 17, 17, 17), (700, 33, 40, 33), (300, 64, 64, 64), (1, 1, 1, 1),
            ] {
                let src = random.values(rows * from), start = random.values(rows * to)
                for accumulate in [false, true] {
                    var dst = start, expected = start
                    for r in 0..<rows {
                        for c in 0..<cols {
                            expected[r * to + c] = src[r * from + c] + (accumulate ? start[r * to + c] : 0)
                        }
                    }
                    dk_copy_matrix(src, from, rows, cols, &dst, to, accumulate ? 1 : 0)
                    #expect(dst == expected, "\(isa) \(rows)×\(cols)")
                }
            }
        }
    }

    @Test func softmaxAndItsAdjointMatch() {
        onEveryISA { isa in
            var random = KernelRandom(43)
            for (rows, cols) in [(1, 1), (5, 3), (4, 16), (7, 100), (40, 257)] {
                let n = rows * cols, scale = 0.7
                let x = random.values(n).map { $0 * 20 }, g = random.values(n)
                let start = random.values(n)
                var expectedY = [Double](repeating: 0, count: n), expectedGradient = expectedY
                for r in 0..<rows {
                    let row = (r * cols)..<((r + 1) * cols)
                    let e = row.map { exp(scale * (Double(x[$0]) - Double(x[row.lowerBound]))) }
                    let total = e.reduce(0, +)
                    for i in row { expectedY[i] = e[i - row.lowerBound] / total }
                    let mean = row.reduce(0) { $0 + expectedY[$1] * Double(g[$1]) }
                    for i in row { expectedGradient[i] = scale * expectedY[i] * (Double(g[i]) - mean) }
                }
                var y = [Float](repeating: .nan, count: n)
                dk_softmax(x, Float(scale), rows, cols, &y)
                #expect(worstError(y, expectedY) < 1e-6, "\(isa) \(rows)×\(cols)")

                var dx = start
                dk_softmax_backward(y, g, Float(scale), rows, cols, &dx, 1)
                #expect(
                    worstError(dx, zip(expectedGradient, start).map { $0 + Double($1) }) < 2e-6,
                    "\(isa) \(rows)×\(cols)")
            }
            var y: [Float] = [0, 0, 0]
            dk_softmax([1e30, -.infinity, 1e30], 1, 1, 3, &y)
            #expect(y == [0.5, 0, 0.5], "\(isa)")
        }
    }

    @Test func upsamplingAndItsAdjoint() {
        onEveryISA { isa in
            var random = KernelRandom(44)
            for (batch, height, width, channels) in [(1, 1, 1, 1), (2, 3, 5, 7), (2, 4, 4, 33)] {
                let x = random.values(batch * height * width * channels), g = random.values(4 * x.count)
                var y = [Float](repeating: .nan, count: 4 * x.count), expected = y
                var sums = [Double](repeating: 0, count: x.count)
                for i in y.indices {
                    let c = i % channels, column = i / channels % (2 * width)
                    let row = i / channels / (2 * width) % (2 * height), b = i / channels / (4 * width * height)
                    let source = ((b * height + row / 2) * width + column / 2) * channels + c
                    expected[i] = x[source]
                    sums[source] += Double(g[i])
                }
                dk_upsample(x, batch, height, width, channels, &y)
                #expect(y == expected, "\(isa)")
                var dx = [Float](repeating: .nan, count: x.count)
                dk_upsample_backward(g, batch, height, width, channels, &dx, 0)
                #expect(worstError(dx, sums) < 5e-7, "\(isa)")
                dx = x
                dk_upsample_backward(g, batch, height, width, channels, &dx, 1)
                #expect(worstError(dx, zip(sums, x).map { $0 + Double($1) }) < 5e-7, "\(isa)")
            }
        }
    }

    /// Against the definition in Double; a gain of its own, and what was there before when accumulating.
    @Test func filteredResampling() {
        onEveryISA { isa in
            var random = KernelRandom(46)
            for (batch, height, width, channels) in [(1, 1, 1, 1), (2, 3, 5, 7), (2, 4, 4, 33), (1, 6, 2, 3)] {
                let small = random.values(batch * height * width * channels), large = random.values(4 * small.count)
                let reduced = Reference.filterDown(
                    DoubleArray([batch, 2 * height, 2 * width, channels], large.map(Double.init)))
                let enlarged = Reference.filterUp(
                    DoubleArray([batch, height, width, channels], small.map(Double.init)))
                for gain in [Float(1), 0.25] {
                    for accumulate in [Int32(0), 1] {
                        var down = small, up = large
                        dk_fir_downsample(large, batch, height, width, channels, gain, &down, accumulate)
                        dk_fir_upsample(small, batch, height, width, channels, gain, &up, accumulate)
                        let (g, kept) = (Double(gain), Double(accumulate))
                        #expect(
                            worstError(down, zip(reduced.values, small).map { g * $0 + kept * Double($1) }) < 5e-7,
                            "\(isa)")
                        #expect(
                            worstError(up, zip(enlarged.values, large).map { g * $0 + kept * Double($1) }) < 5e-7,
                            "\(isa)")
                    }
                }
            }
        }
    }

    @Test func layoutsConvertThereAndBack() {
        onEveryISA { isa in
            var random = KernelRandom(45)
            for (batch, pixels, channels) in [(1, 1, 1), (2, 9, 3), (2, 300, 21), (3, 64, 64), (1, 1025, 17)] {
                let x = random.values(batch * pixels * channels)
                var planes = [Float](repeating: .nan, count: x.count), back = planes, expected = planes
                for b in 0..<batch {
                    for p in 0..<pixels {
                        for c in 0..<channels {
                            expected[(b * channels + c) * pixels + p] = x[(b * pixels + p) * channels + c]
                        }
                    }
                }
                dk_nhwc_to_nchw(x, batch, pixels, channels, &planes)
                #expect(planes == expected, "\(isa) \(batch)×\(pixels)×\(channels)")
                dk_nchw_to_nhwc(planes, batch, pixels, channels, &back)
                #expect(back == x, "\(isa) \(batch)×\(pixels)×\(channels)")
            }
        }
    }

    @Test(arguments: [false, true]) func adamFollowsItsDefinition(decoupled: Bool) {
        onEveryISA { isa in
            var random = KernelRandom(46)
            for n in Self.lengths {
                var p = random.values(n), m = [Float](repeating: 0, count: n), v = m
                var pd = p.map(Double.init), md = m.map(Double.init), vd = md
                for t in 1...3 {
                    let g = random.values(n)
                    let (lr, b1, b2, decay) = (0.01, 0.9, 0.999, 0.1)
                    var options = dk_adam_options(
                        rest1: Float(1 - b1), rest2: Float(1 - b2), step: Float(lr / (1 - pow(b1, Double(t)))),
                        root: Float(1 / (1 - pow(b2, Double(t))).squareRoot()), epsilon: 1e-8,
                        l2: decoupled ? 0 : Float(decay), decay: decoupled ? Float(lr * decay) : 0, grad_scale: 0.5)
                    dk_adam(&options, g, n, &p, &m, &v)
                    for i in 0..<n {
                        var gradient = 0.5 * Double(g[i])
                        if decoupled { pd[i] *= 1 - lr * decay } else { gradient += decay * pd[i] }
                        md[i] = b1 * md[i] + (1 - b1) * gradient
                        vd[i] = b2 * vd[i] + (1 - b2) * gradient * gradient
                        let denominator = (vd[i] / (1 - pow(b2, Double(t)))).squareRoot() + 1e-8
                        pd[i] -= lr * md[i] / (1 - pow(b1, Double(t))) / denominator
                    }
                }
                #expect(worstError(p, pd) < 1e-6, "\(isa) \(n)")
            }
        }
    }

    @Test func sgdFollowsItsDefinition() {
        onEveryISA { isa in
            var random = KernelRandom(47)
            for n in Self.lengths {
                var p = random.values(n), buffer = [Float](repeating: 0, count: n)
                var pd = p.map(Double.init), bd = buffer.map(Double.init)
                for _ in 0..<3 {
                    let g = random.values(n)
                    dk_sgd(0.1, 0.9, 0.01, 2, g, n, &p, &buffer)
                    for i in 0..<n {
                        let gradient = 2 * Double(g[i]) + 0.01 * pd[i]
                        bd[i] = 0.9 * bd[i] + gradient
                        pd[i] -= 0.1 * bd[i]
                    }
                }
                #expect(worstError(p, pd) < 1e-6, "\(isa) \(n)")
            }
        }
    }

    @Test func averagesMoveTowardsTheValue() {
        onEveryISA { isa in
            var random = KernelRandom(48)
            for n in Self.lengths {
                let value = random.values(n), start = random.values(n)
                var average = start
                dk_ema(0.25, value, n, &average)
                let expected = (0..<n).map { Double(start[$0]) + 0.25 * (Double(value[$0]) - Double(start[$0])) }
                #expect(worstError(average, expected) < 2e-7, "\(isa) \(n)")
            }
        }
    }
}
