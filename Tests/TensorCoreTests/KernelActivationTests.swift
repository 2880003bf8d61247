import CKernels
import Foundation
import Testing

/// φ in double by its textbook definition; derivatives by central differences.
private func phi(_ kind: dk_activation, _ x: Double) -> Double {
    switch kind {
    case DK_SILU: x / (1 + exp(-x))
    case DK_GELU: x * erfc(-x / 2.0.squareRoot()) / 2
    case DK_RELU: max(x, 0)
    case DK_MISH: x * tanh(log1p(exp(x)))
    default: x
    }
}

private func phi(_ kind: dk_activation, _ order: Int, _ x: Double) -> Double {
    switch order {
    case 0: phi(kind, x)
    case 1: (8 * (phi(kind, x + 1e-3) - phi(kind, x - 1e-3)) - (phi(kind, x + 2e-3) - phi(kind, x - 2e-3))) / 12e-3
    default: (phi(kind, x + 1e-3) - 2 * phi(kind, x) + phi(kind, x - 1e-3)) / 1e-6
    }
}

private let kinds = [DK_IDENTITY, DK_SILU, DK_GELU, DK_RELU, DK_MISH]

private func activate(_ kind: dk_activation, _ order: Int32, _ x: [Float]) -> [Float] {
    var y = [Float](repeating: .nan, count: x.count)
    dk_activate(kind, order, 1, x, nil, nil, x.count, &y, 0)
    return y
}

/// An affine map with activation, at a moment along a straight line in all its arguments.
private struct AffineActivation {
    static let names = ["x", "a", "d", "gate", "g"]
    let kind: dk_activation
    let images: Int, pixels: Int, channels: Int
    var point: [[Float]]  // in the order of `names`
    var tangent: [[Float]?]

    init(_ kind: dk_activation, _ images: Int, _ pixels: Int, _ channels: Int, random: inout KernelRandom) {
        (self.kind, self.images, self.pixels, self.channels) = (kind, images, pixels, channels)
        let counts = [
            images * pixels * channels, images * channels, images * channels, channels, images * pixels * channels,
        ]
        point = counts.map { random.values($0) }
        tangent = counts.map { random.values($0) }
        // The differences below must not straddle the corner of ReLU.
        if kind == DK_RELU { point[0] = point[0].map { $0 < 0 ? $0 - 3 : $0 + 3 } }
        if kind == DK_RELU { point[1] = point[1].map { abs($0) + 1 } }
    }

    struct Result {
        var y: [Double] = [], gz: [Double] = [], gzSum: [Double], gzxSum: [Double], gphiSum: [Double]
    }

    /// Everything in double, at point + t·tangent.
    func evaluate(_ t: Double) -> Result {
        let at = zip(point, tangent).map { p, d in p.indices.map { Double(p[$0]) + t * Double(d?[$0] ?? 0) } }
        let zeros = [Double](repeating: 0, count: images * channels)
        var r = Result(gzSum: zeros, gzxSum: zeros, gphiSum: zeros)
        for i in at[0].indices {
            let c = i % channels, k = i / (pixels * channels) * channels + c
            let z = at[0][i] * at[1][k] + at[2][k], value = phi(kind, z)
            let gz = at[4][i] * at[3][c] * phi(kind, 1, z)
            r.y.append(at[3][c] * value)
            r.gz.append(gz)
            r.gzSum[k] += gz
            r.gzxSum[k] += gz * at[0][i]
            r.gphiSum[k] += at[4][i] * value
        }
        return r
    }

    func derivative(_ part: KeyPath<Result, [Double]>) -> [Double] {
        zip(evaluate(1e-4)[keyPath: part], evaluate(-1e-4)[keyPath: part]).map { ($0 - $1) / 2e-4 }
    }

    func blank(_ count: Int) -> [Float] { [Float](repeating: .nan, count: count) }
}

extension KernelTests {
    @Test func activationsAndTheirDerivativesMatchDouble() {
        let x = (0..<4001).map { Float($0 - 2000) * 0.01 + 0.005 }
        onEveryISA { isa in
            for kind in kinds {
                let values = zip(activate(kind, 0, x), x).map { abs(Double($0) - phi(kind, Double($1))) }
                // A few units in the last place; GELU's tail is exact to 1e-7 absolute only.
                for (error, x) in zip(values, x) {
                    #expect(
                        error <= 4e-7 * abs(phi(kind, Double(x))) + (kind == DK_GELU ? 1e-7 : 1e-37),
                        "\(isa) \(kind) at \(x)")
                }
                for order in 1...2 {
                    let got = activate(kind, Int32(order), x)
                    let expected = x.map { phi(kind, order, Double($0)) }
                    #expect(worstError(got, expected) < (order == 1 ? 5e-7 : 2e-6), "\(isa) \(kind) order \(order)")
                }
            }
        }
    }

    @Test func activationsOfExtremeArgumentsAreTheirLimits() {
        onEveryISA { isa in
            for kind in kinds {
                let x: [Float] = [.infinity, 3e38, 1e4, -1e4, -3e38, -.infinity, .nan]
                let value = activate(kind, 0, x), slope = activate(kind, 1, x), curve = activate(kind, 2, x)
                for i in 0..<3 {
                    #expect(value[i] == x[i] && slope[i] == 1 && abs(curve[i]) < 1e-6, "\(isa) \(kind) \(x[i])")
                }
                for i in 3..<6 where kind != DK_IDENTITY {
                    #expect(value[i] == 0 && slope[i] == 0 && curve[i] == 0, "\(isa) \(kind) \(x[i])")
                }
                #expect(value[6].isNaN && slope[6].isNaN && curve[6].isNaN, "\(isa) \(kind) NaN")
            }
        }
    }

    /// A part of a concatenation gets the bits that it gets by itself, and nothing beside it is touched.
    @Test func affineActivationIntoRowsThatLieApart() {
        onEveryISA { isa in
            var random = KernelRandom(37)
            for (images, pixels, channels, ld) in [(2, 5, 3, 7), (1, 700, 20, 33), (3, 64, 32, 64)] {
                let x = random.values(images * pixels * channels)
                let (a, d) = (random.values(images * channels), random.values(images * channels))
                let gate = random.values(channels)
                var whole = [Float](repeating: 0, count: x.count)
                dk_affine_activation(DK_SILU, x, a, d, gate, images, pixels, channels, &whole, channels)
                var apart = [Float](repeating: 9, count: images * pixels * ld)
                dk_affine_activation(DK_SILU, x, a, d, gate, images, pixels, channels, &apart, ld)
                var expected = [Float](repeating: 9, count: apart.count)
                for row in 0..<images * pixels {
                    for c in 0..<channels { expected[row * ld + c] = whole[row * channels + c] }
                }
                #expect(sameBits(apart, expected), "\(isa), \(channels) of \(ld)")
            }
        }
    }

    @Test func anElementsBitsDoNotDependOnItsPosition() {
        onEveryISA { isa in
            var random = KernelRandom(31)
            let x = random.values(77).map { $0 * 6 }
            for kind in kinds {
                for order in Int32(0)...2 {
                    let whole = activate(kind, order, x), single = x.flatMap { activate(kind, order, [$0]) }
                    #expect(sameBits(whole, single), "\(isa) \(kind) order \(order)")
                }
            }
        }
    }

    @Test func activationFactorsScaleAndAccumulate() {
        onEveryISA { isa in
            var random = KernelRandom(32)
            let x = random.values(53), u = random.values(53), v = random.values(53), start = random.values(53)
            let plain = activate(DK_SILU, 1, x)
            var y = start
            dk_activate(DK_SILU, 1, -0.5, x, u, v, 53, &y, 1)
            let expected = x.indices.map {
                -0.5 * Double(plain[$0]) * Double(u[$0]) * Double(v[$0]) + Double(start[$0])
            }
            #expect(worstError(y, expected) < 3e-7, "\(isa)")
        }
    }

    @Test func affineActivationsMatchDouble() {
        onEveryISA { isa in
            var random = KernelRandom(33)
            for kind in kinds {
                for (images, pixels, channels) in [(2, 37, 5), (3, 16, 32), (1, 700, 21)] {
                    let f = AffineActivation(kind, images, pixels, channels, random: &random)
                    let (x, a, d, gate, g) = (f.point[0], f.point[1], f.point[2], f.point[3], f.point[4])
                    let label: Comment = "\(isa) \(kind) \(images)×\(pixels)×\(channels)"
                    let expected = f.evaluate(0)
                    var y = f.blank(x.count), s1 = f.blank(a.count), s2 = s1, s3 = s1
                    dk_affine_activation(kind, x, a, d, gate, images, pixels, channels, &y, channels)
                    #expect(worstError(y, expected.y) < 1e-6, label)
                    dk_affine_activation_backward(kind, x, a, d, gate, g, images, pixels, channels, &y, &s1, &s2, &s3)
                    #expect(worstError(y, expected.gz) < 1e-6, label)
                    #expect(worstError(s1, expected.gzSum) < 1e-5, label)
                    #expect(worstError(s2, expected.gzxSum) < 1e-5, label)
                    #expect(worstError(s3, expected.gphiSum) < 1e-5, label)

                    var ungated = f
                    ungated.point[3] = gate.map { _ in 1 }
                    dk_affine_activation(kind, x, a, d, nil, images, pixels, channels, &y, channels)
                    #expect(worstError(y, ungated.evaluate(0).y) < 1e-6, label)
                    dk_affine_activation_backward(kind, x, a, d, nil, g, images, pixels, channels, &y, nil, nil, nil)
                    #expect(worstError(y, ungated.evaluate(0).gz) < 1e-6, label)
                }
            }
        }
    }

    @Test func affineActivationTangentsMatchDifferences() {
        onEveryISA { isa in
            var random = KernelRandom(34)
            for kind in kinds {
                // Every subset of the five tangents.
                for present in 0..<32 {
                    let (images, pixels, channels) = (2, 19, present % 2 == 0 ? 5 : 32)
                    var f = AffineActivation(kind, images, pixels, channels, random: &random)
                    for i in 0..<5 where present & 1 << i == 0 { f.tangent[i] = nil }
                    let (x, a, d, gate, g) = (f.point[0], f.point[1], f.point[2], f.point[3], f.point[4])
                    let label: Comment = "\(isa) \(kind) tangents \(present)"
                    var y = f.blank(x.count), s1 = f.blank(a.count), s2 = s1, s3 = s1
                    optionally(f.tangent[0], f.tangent[1], f.tangent[2], f.tangent[3], f.tangent[4]) { t in
                        dk_affine_activation_tangent(
                            kind, x, a, d, gate, t[0], t[1], t[2], t[3], images, pixels, channels, &y)
                    }
                    #expect(worstError(y, f.derivative(\.y)) < 2e-6, label)
                    optionally(f.tangent[0], f.tangent[1], f.tangent[2], f.tangent[3], f.tangent[4]) { t in
                        dk_affine_activation_backward_tangent(
                            kind, x, a, d, gate, g, t[0], t[1], t[2], t[3], t[4], images, pixels, channels, &y, &s1,
                            &s2,
                            &s3)
                    }
                    #expect(worstError(y, f.derivative(\.gz)) < 2e-6, label)
                    #expect(worstError(s1, f.derivative(\.gzSum)) < 1e-5, label)
                    #expect(worstError(s2, f.derivative(\.gzxSum)) < 1e-5, label)
                    #expect(worstError(s3, f.derivative(\.gphiSum)) < 1e-5, label)
                }
            }
        }
    }

    @Test func affineActivationBitsDependOnTheImageAlone() {
        onEveryISA { isa in
            var random = KernelRandom(35)
            let (images, pixels, channels) = (4, 500, 29), size = pixels * channels
            let f = AffineActivation(DK_SILU, images, pixels, channels, random: &random)
            func run(_ from: Int, _ count: Int) -> [[Float]] {
                func part(_ values: [Float], _ size: Int) -> [Float] {
                    Array(values[(from * size)..<((from + count) * size)])
                }
                let x = part(f.point[0], size), g = part(f.point[4], size)
                let a = part(f.point[1], channels), d = part(f.point[2], channels)
                var y = f.blank(count * size), gz = y, s1 = f.blank(count * channels), s2 = s1, s3 = s1
                dk_affine_activation(DK_SILU, x, a, d, nil, count, pixels, channels, &y, channels)
                dk_affine_activation_backward(DK_SILU, x, a, d, nil, g, count, pixels, channels, &gz, &s1, &s2, &s3)
                return [y, gz, s1, s2, s3]
            }
            var whole: [[Float]] = []
            withThreadCounts { threads in
                let got = run(0, images)
                if !whole.isEmpty { #expect(zip(got, whole).allSatisfy(sameBits), "\(isa) \(threads) threads") }
                whole = got
            }
            let alone = (0..<images).map { run($0, 1) }
            for part in 0..<5 { #expect(sameBits(alone.flatMap { $0[part] }, whole[part]), "\(isa) part \(part)") }
        }
    }
}
