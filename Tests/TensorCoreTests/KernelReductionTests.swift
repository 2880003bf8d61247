import CKernels
import Foundation
import Testing

extension KernelTests {
    /// (images, pixels, channels): channel counts that divide a vector and that do not.
    static let maps = [
        (1, 1, 1), (2, 7, 3), (3, 50, 16), (2, 33, 17), (1, 300, 90), (2, 64, 128), (1, 5000, 4), (2, 9, 511),
    ]

    @Test func pixelSumsMatchDoubleReference() {
        onEveryISA { isa in
            var random = KernelRandom(21)
            for (images, pixels, channels) in Self.maps {
                let count = images * pixels * channels
                let x = random.values(count), y = random.values(count), start = random.values(images * channels)
                var sums = [MeasuredSum](repeating: MeasuredSum(), count: images * channels), products = sums
                for i in 0..<count {
                    let at = i / (pixels * channels) * channels + i % channels
                    sums[at] += Double(x[i])
                    products[at] += Double(x[i]) * Double(y[i])
                }
                for at in start.indices { products[at] += Double(start[at]) }
                var out = [Float](repeating: .nan, count: images * channels)
                dk_sum_pixels(x, images, pixels, channels, &out, 0)
                #expect(worstError(out, sums) < 1e-6, "\(isa) sum \(images)×\(pixels)×\(channels)")
                out = start
                dk_dot_pixels(x, y, images, pixels, channels, &out, 1)
                #expect(worstError(out, products) < 1e-6, "\(isa) dot \(images)×\(pixels)×\(channels)")
            }
        }
    }

    @Test func longSumsKeepTheirAccuracy() {
        onEveryISA { isa in
            var random = KernelRandom(22)
            let pixels = 200_000
            let x = random.values(pixels * 3).map { $0 + 1 }
            var sums = [MeasuredSum](repeating: MeasuredSum(), count: 3)
            for i in x.indices { sums[i % 3] += Double(x[i]) }
            var out = [Float](repeating: 0, count: 3)
            dk_sum_pixels(x, 1, pixels, 3, &out, 0)
            #expect(worstError(out, sums) < 3e-7, "\(isa)")
        }
    }

    @Test func affineMapsMatchDoubleReference() {
        onEveryISA { isa in
            var random = KernelRandom(23)
            for (images, pixels, channels) in Self.maps {
                let count = images * pixels * channels
                let x = random.values(count), z = random.values(count), start = random.values(count)
                let a = random.values(images * channels), d = random.values(images * channels)
                let e = random.values(images * channels)
                for use in 0..<16 {
                    let accumulate = use & 8 != 0
                    let expected = (0..<count).map { i in
                        let c = i / (pixels * channels) * channels + i % channels
                        var sum = MeasuredSum()
                        if use & 1 != 0 { sum += Double(x[i]) * Double(a[c]) }
                        if use & 2 != 0 { sum += Double(z[i]) * Double(d[c]) }
                        if use & 4 != 0 { sum += Double(e[c]) }
                        if accumulate { sum += Double(start[i]) }
                        return sum
                    }
                    var y = accumulate ? start : [Float](repeating: .nan, count: count)
                    func call(_ x: [Float]?, _ a: [Float]?, _ z: [Float]?, _ d: [Float]?, _ e: [Float]?) {
                        optionally(x, a, z, d, e) { p in
                            dk_affine_images(
                                p[0], p[1], p[2], p[3], p[4], images, pixels, channels, &y, accumulate ? 1 : 0)
                        }
                    }
                    call(
                        use & 1 != 0 ? x : nil, use & 1 != 0 ? a : nil, use & 2 != 0 ? z : nil, use & 2 != 0 ? d : nil,
                        use & 4 != 0 ? e : nil)
                    #expect(worstError(y, expected) < 1e-6, "\(isa) \(images)×\(pixels)×\(channels) use \(use)")
                }
                var y = [Float](repeating: .nan, count: count)
                dk_scale_channels(x, a, images * pixels, channels, &y, 0)
                #expect(sameBits(y, x.indices.map { x[$0] * a[$0 % channels] }), "\(isa) \(channels)")
            }
        }
    }

    @Test func momentsMatchDoubleReferenceEvenAboutALargeMean() {
        onEveryISA { isa in
            var random = KernelRandom(24)
            for (images, pixels, channels) in Self.maps {
                for offset in [Float(0), 1000] {
                    let x = random.values(images * pixels * channels).map { $0 + offset }
                    var mean = [Float](repeating: .nan, count: images * channels), variance = mean
                    dk_moments(x, images, pixels, channels, &mean, &variance)
                    for image in 0..<images {
                        for c in 0..<channels {
                            let values = (0..<pixels).map { Double(x[(image * pixels + $0) * channels + c]) }
                            let m = values.reduce(0, +) / Double(pixels)
                            let v = values.reduce(0) { $0 + ($1 - m) * ($1 - m) } / Double(pixels)
                            let at = image * channels + c
                            #expect(abs(Double(mean[at]) - m) <= 1e-7 * (1 + abs(m)), "\(isa) mean")
                            #expect(abs(Double(variance[at]) - v) <= 2e-6 * v + 1e-12, "\(isa) variance \(v)")
                        }
                    }
                }
            }
        }
    }

    @Test func momentsAndSumsDependOnTheImageAlone() {
        onEveryISA { isa in
            var random = KernelRandom(25)
            let (images, pixels, channels) = (5, 400, 37), size = pixels * channels
            let x = random.values(images * size)
            func moments(_ x: [Float], _ images: Int) -> [Float] {
                var mean = [Float](repeating: 0, count: images * channels), variance = mean, sums = mean
                dk_moments(x, images, pixels, channels, &mean, &variance)
                dk_sum_pixels(x, images, pixels, channels, &sums, 0)
                return (0..<images).flatMap { i in
                    [mean, variance, sums].flatMap { $0[(i * channels)..<((i + 1) * channels)] }
                }
            }
            var whole: [Float]?
            withThreadCounts { threads in
                let got = moments(x, images)
                if let whole { #expect(sameBits(got, whole), "\(isa) \(threads) threads") }
                whole = got
            }
            let alone = (0..<images).flatMap { moments(Array(x[($0 * size)..<(($0 + 1) * size)]), 1) }
            #expect(sameBits(alone, whole ?? []), "\(isa)")
        }
    }

    @Test func dotIsADoubleSum() {
        onEveryISA { isa in
            var random = KernelRandom(26)
            for count in [0, 1, 15, 64, 1000, 100_001] {
                let x = random.values(count), y = random.values(count)
                var sum = MeasuredSum()
                for i in 0..<count { sum += Double(x[i]) * Double(y[i]) }
                var results: [Double] = []
                withThreadCounts { _ in results.append(dk_dot(x, y, count)) }
                #expect(abs(results[0] - sum.value) <= 1e-13 * sum.magnitude, "\(isa) \(count)")
                #expect(Set(results).count == 1, "\(isa) \(count)")
            }
        }
    }

    @Test func oneValueThatIsNotFiniteIsFoundWhereverItIs() {
        onEveryISA { isa in
            for count in [1, 5, 16, 33, 40_000] {
                var x = [Float](repeating: .greatestFiniteMagnitude, count: count)
                #expect(dk_all_finite(x, count) == 1)
                for at in Set([0, count / 2, count - 1]) {
                    for bad in [Float.nan, .infinity, -.infinity] {
                        x[at] = bad
                        #expect(dk_all_finite(x, count) == 0, "\(isa) \(bad) at \(at) of \(count)")
                    }
                    x[at] = 0
                }
            }
            #expect(dk_all_finite([], 0) == 1)
        }
    }
}

/// Calls body with a pointer, or nil, for each array.
func optionally(_ arrays: [Float]?..., body: ([UnsafePointer<Float>?]) -> Void) {
    func step(_ index: Int, _ pointers: [UnsafePointer<Float>?]) {
        guard index < arrays.count else { return body(pointers) }
        if let array = arrays[index] {
            array.withUnsafeBufferPointer { step(index + 1, pointers + [$0.baseAddress]) }
        } else {
            step(index + 1, pointers + [nil])
        }
    }
    step(0, [])
}
