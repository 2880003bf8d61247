import CKernels
import Foundation
import Testing

/// Shared with pool threads; every index has its own slot.
private final class Visits: @unchecked Sendable {
    let slots: UnsafeMutablePointer<Int>
    let count: Int
    init(_ count: Int) {
        self.count = count
        slots = .allocate(capacity: count)
        slots.initialize(repeating: 0, count: count)
    }
    deinit { slots.deallocate() }
}

extension KernelTests {
    @Test func everyIndexRunsExactlyOnceAtAnyThreadCount() {
        withThreadCounts { threads in
            for count in [0, 1, 2, 7, 1000] {
                let visits = Visits(count)
                for _ in 0..<50 {
                    dk_parallel(
                        count, { Unmanaged<Visits>.fromOpaque($0!).takeUnretainedValue().slots[$1] += 1 },
                        Unmanaged.passUnretained(visits).toOpaque())
                }
                #expect((0..<count).allSatisfy { visits.slots[$0] == 50 }, "\(threads) threads, \(count) items")
            }
        }
    }

    @Test func nestedRegionsRunInTheCallingThread() {
        let visits = Visits(64)
        dk_parallel(
            8,
            { context, outer in
                let visits = Unmanaged<Visits>.fromOpaque(context!).takeUnretainedValue()
                let inner = (visits.slots + outer * 8, 0)
                dk_parallel(8, { $0!.assumingMemoryBound(to: Int.self)[$1] += 1 }, inner.0)
            }, Unmanaged.passUnretained(visits).toOpaque())
        #expect((0..<64).allSatisfy { visits.slots[$0] == 1 })
    }

    @Test func kernelsMayBeCalledFromSeveralThreadsAtOnce() {
        var random = KernelRandom(51)
        let x = random.values(300 * 128), w = random.values(128 * 96)
        let product: @Sendable () -> [Float] = {
            var y = [Float](repeating: .nan, count: 300 * 96)
            x.withUnsafeBufferPointer { x in
                w.withUnsafeBufferPointer { w in
                    y.withUnsafeMutableBufferPointer { y in
                        var problem = dk_gemm_problem()
                        (problem.m, problem.n, problem.k, problem.batch) = (300, 96, 128, 1)
                        (problem.a, problem.lda, problem.b, problem.ldb) = (x.baseAddress, 128, w.baseAddress, 96)
                        (problem.c, problem.ldc) = (y.baseAddress, 96)
                        dk_gemm(&problem)
                    }
                }
            }
            return y
        }
        let expected = product()
        let right = Visits(400)
        DispatchQueue.concurrentPerform(iterations: 400) { right.slots[$0] = sameBits(product(), expected) ? 1 : 0 }
        #expect((0..<400).allSatisfy { right.slots[$0] == 1 })
    }

    @Test func denormalsAreFlushedInsideKernelsAndOnlyThere() {
        let tiny = Float.leastNormalMagnitude / 4
        withThreadCounts { threads in
            for n in [8, 200_000] {
                var y = [Float](repeating: .nan, count: n)
                dk_linear_combination(1, [Float](repeating: tiny, count: n), 0, nil, n, &y, 0)
                #expect(y.allSatisfy { $0 == 0 }, "\(threads) threads, \(n) values")
            }
            #expect(tiny * Float(threads) != 0)
        }
    }

    @Test func instructionSetsAreSelectedByName() {
        defer { dk_isa_select(nil) }
        #expect(dk_isa_select("sse9") == -1)
        #expect(dk_isa_select("portable") == 0)
        #expect(String(cString: dk_isa_name()) == "portable")
    }

    @Test func threadCountsAreBounded() {
        let before = dk_threads()
        defer { dk_set_threads(before) }
        dk_set_threads(0)
        #expect(dk_threads() == 1)
        dk_set_threads(100_000)
        #expect(dk_threads() == 256)
    }
}
