import CKernels
import LinearAlgebra
import Testing

/// A product with everything that dk_gemm offers, and its reference in double.
private struct Product {
    var m: Int, n: Int, k: Int, batch = 1
    var transposeA = false, transposeB = false, accumulate = false, biased = false, sharedB = false
    /// Whether b is laid out beforehand; not transposed, and the same for the whole batch.
    var packed = false
    var a: [Float], b: [Float], c: [Float], bias: [Float]

    init(_ m: Int, _ n: Int, _ k: Int, batch: Int = 1, random: inout KernelRandom) {
        (self.m, self.n, self.k, self.batch) = (m, n, k, batch)
        a = random.values(batch * m * k)
        b = random.values(batch * k * n)
        c = random.values(batch * m * n)
        bias = random.values(n)
    }

    var label: String {
        "\(m)×\(n)×\(k) batch \(batch) \(transposeA ? "Aᵀ" : "A") \(transposeB ? "Bᵀ" : "B")"
            + (accumulate ? " +=" : "") + (biased ? " bias" : "") + (sharedB ? " shared" : "")
            + (packed ? " packed" : "")
    }

    func run() -> [Float] {
        var out = c
        var panels: [Float]?
        if packed {
            panels = [Float](repeating: .nan, count: dk_gemm_packed_size(k, n))
            dk_gemm_pack(k, n, b, n, &panels!)
        }
        a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
                optionally(bias, panels) { optional in
                    out.withUnsafeMutableBufferPointer { out in
                        var problem = dk_gemm_problem()
                        (problem.m, problem.n, problem.k) = (m, n, k)
                        (problem.a, problem.lda, problem.transpose_a) = (
                            a.baseAddress, transposeA ? m : k, transposeA ? 1 : 0
                        )
                        (problem.b, problem.ldb, problem.transpose_b) = (
                            b.baseAddress, transposeB ? k : n, transposeB ? 1 : 0
                        )
                        (problem.c, problem.ldc) = (out.baseAddress, n)
                        problem.bias = biased ? optional[0] : nil
                        problem.packed_b = optional[1]
                        problem.accumulate = accumulate ? 1 : 0
                        (problem.batch, problem.stride_a) = (batch, m * k)
                        (problem.stride_b, problem.stride_c) = (sharedB ? 0 : k * n, m * n)
                        dk_gemm(&problem)
                    }
                }
            }
        }
        return out
    }

    func reference() -> [MeasuredSum] {
        var out: [MeasuredSum] = []
        for p in 0..<batch {
            for i in 0..<m {
                for j in 0..<n {
                    var sum = MeasuredSum()
                    for q in 0..<k {
                        let x = a[p * m * k + (transposeA ? q * m + i : i * k + q)]
                        let y = b[(sharedB ? 0 : p * k * n) + (transposeB ? j * k + q : q * n + j)]
                        sum += Double(x) * Double(y)
                    }
                    if biased { sum += Double(bias[j]) }
                    if accumulate { sum += Double(c[(p * m + i) * n + j]) }
                    out.append(sum)
                }
            }
        }
        return out
    }
}

extension KernelTests {
    @Test func productsMatchDoubleReference() {
        onEveryISA { isa in
            var random = KernelRandom(1)
            for trial in 0..<60 {
                var p = Product(
                    1 + random.below(trial % 5 == 0 ? 300 : 40), 1 + random.below(90), 1 + random.below(300),
                    batch: 1 + random.below(3), random: &random)
                p.transposeA = trial & 1 != 0
                p.transposeB = trial & 2 != 0
                p.accumulate = trial & 4 != 0
                p.biased = trial & 8 != 0
                p.sharedB = trial % 7 == 0
                let error = worstError(p.run(), p.reference())
                #expect(error < 1e-6, "\(isa) \(p.label): \(error)")
            }
        }
    }

    /// Rows a whole number of 2 KiB apart are copied aside first.
    @Test func productsWithConflictingStridesMatch() {
        onEveryISA { isa in
            var random = KernelRandom(2)
            let p = Product(31, 70, 512, random: &random)
            let error = worstError(p.run(), p.reference())
            #expect(error < 1e-6, "\(isa): \(error)")
        }
    }

    @Test func emptyInnerExtentGivesTheBias() {
        var random = KernelRandom(3)
        var p = Product(2, 3, 0, random: &random)
        p.biased = true
        #expect(p.run() == p.bias + p.bias)
        p.accumulate = true
        #expect(sameBits(p.run(), (0..<6).map { p.c[$0] + p.bias[$0 % 3] }))
    }

    @Test func packingAheadChangesNothing() {
        onEveryISA { isa in
            var random = KernelRandom(6)
            for (m, n, k) in [(1, 200, 70), (3, 5, 9), (40, 33, 16), (300, 96, 100)] {
                var p = Product(m, n, k, batch: 2, random: &random)
                (p.biased, p.sharedB) = (true, true)
                let expected = p.run()
                p.packed = true
                withThreadCounts { #expect(sameBits(p.run(), expected), "\(isa) \(p.label), \($0) threads") }
            }
        }
    }

    @Test func productsMatchOpenBLAS() throws {
        try onEveryISA { isa in
            var random = KernelRandom(4)
            for (m, n, k) in [(1, 1, 1), (64, 64, 64), (100, 33, 257), (257, 96, 31)] {
                let p = Product(m, n, k, random: &random)
                var blas = [Double](repeating: 0, count: m * n)
                try BLAS.multiply(
                    p.a.map(Double.init), by: p.b.map(Double.init), rows: m, inner: k, columns: n, into: &blas)
                let error = worstError(p.run(), blas)
                #expect(error < 1e-5, "\(isa) \(p.label): \(error)")
            }
        }
    }

    @Test func productRowsDependOnNothingButTheirOwnRow() {
        onEveryISA { isa in
            var random = KernelRandom(5)
            let whole = Product(200, 75, 130, random: &random)
            var expected: [Float]?
            withThreadCounts { threads in
                let got = whole.run()
                if let expected { #expect(sameBits(got, expected), "\(isa) \(threads) threads") }
                expected = got
            }
            for rows in [1, 3, 12, 25, 64] {
                var part = whole
                part.m = rows
                part.a = Array(whole.a[(17 * 130)..<((17 + rows) * 130)])
                part.c = [Float](repeating: 0, count: rows * 75)
                #expect(
                    sameBits(part.run(), Array((expected ?? [])[(17 * 75)..<((17 + rows) * 75)])), "\(isa) \(rows) rows"
                )
            }
        }
    }
}
