import CKernels
import Testing

@testable import TensorCore

@Suite struct OperationProfileTests {
    private func doubled(_ name: String, _ x: Variable) -> Variable {
        OperationProfile.timed(name, .elementwise, inputShape: x.shape, products: 3) { x.scaled(by: 2) }
    }

    @Test func operationsAreListedInOrder() throws {
        let x = Variable(Tensor([1, 2, 3], shape: [1, 3]))
        var y = x
        let entries = OperationProfile.entries {
            y = doubled("first", x)
            y = doubled("second", y)
        }
        #expect(y.value.array == [4, 8, 12])
        #expect(entries.map(\.name) == ["first", "second"])
        #expect(entries.allSatisfy { $0.kind == .elementwise && $0.inputShape == [1, 3] && $0.outputShape == [1, 3] })
        #expect(entries.allSatisfy { $0.macs == 9 && $0.duration > .zero })
    }

    @Test func nothingIsKeptOutsideAProfile() {
        let x = Variable(Tensor([1], shape: [1, 1]))
        let entries = OperationProfile.entries {}
        _ = doubled("outside", x)
        #expect(entries.isEmpty)
        #expect(OperationProfile.entries { _ = doubled("inside", x) }.count == 1)
    }

    @Test func backwardPassesGoOnTheirOperationsAccount() throws {
        let x = Variable(Tensor(ones: [1000, 100]), requiresGradient: true)
        let entries = OperationProfile.entries {
            let y = doubled("first", x)
            let outside = y.scaled(by: 3)
            _ = doubled("unused", x)
            doubled("last", outside).meanSquaredError(to: Tensor(zeros: [1000, 100])).backward()
        }
        #expect(entries.map(\.name) == ["first", "unused", "last"])
        #expect(entries.map { $0.backwardDuration > .zero } == [true, false, true])
        // The loss is the mean of (12·x)².
        #expect(abs(try #require(x.gradient?.array.first) * 100_000 / 288 - 1) < 1e-6)
    }

    /// A graph made in a profile may be traversed after it.
    @Test func backwardPassesAfterTheProfile() {
        let x = Variable(Tensor([3], shape: [1, 1]), requiresGradient: true)
        var y = x
        _ = OperationProfile.entries { y = doubled("inside", x) }
        y.reshaped([]).backward()
        #expect(x.gradient?.array == [2])
    }

    @Test func partsOfABatchCountAsOne() {
        let x = Tensor(ones: [5, 7])
        let cuts = [0..<2, 2..<4, 4..<5]
        func run() {
            OperationProfile.parallelParts(cuts.count) { part in
                let y = doubled("first", Variable(x.rows(cuts[part])))
                _ = doubled("second", y)
            }
        }
        run()
        let entries = OperationProfile.entries(during: run)
        #expect(entries.map(\.name) == ["first", "second"])
        #expect(entries.allSatisfy { $0.inputShape == [5, 7] && $0.outputShape == [5, 7] && $0.macs == 105 })
        #expect(entries.allSatisfy { $0.duration > .zero })
    }

    @Test func errorsComeThrough() {
        struct Stop: Error {}
        #expect(throws: Stop.self) { try OperationProfile.entries { throw Stop() } }
    }
}

extension KernelTests {
    @Test func burstsCountTheirOperations() {
        onEveryISA { name in
            let lanes = ["avx512": 16.0, "avx2": 8.0][name] ?? 4.0
            #expect(dk_fma_burst(3, 10) == 2 * 12 * lanes * 30, "\(name)")
        }
        #expect(Engine.multiplyAddBurst() > 1e8)
    }
}
