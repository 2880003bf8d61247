import Testing

@testable import TensorCore

@Suite struct SavedTests {
    /// Counts how often a value is computed.
    private final class Counter {
        var count = 0
    }

    private func doubled(_ x: Saved, _ counter: Counter) -> Saved {
        .recomputed(
            Recomputation(of: [x]) {
                counter.count += 1
                return Dual(Tensor($0[0].value.array.map { 2 * $0 }, shape: $0[0].value.shape), tangent: nil)
            })
    }

    @Test func whatSeveralAreComputedFromIsComputedOnce() {
        let (shared, own) = (Counter(), Counter())
        let x = doubled(.kept(Dual(Tensor([1, 2], shape: [2]), tangent: nil)), shared)
        let values = Saved.duals(of: [doubled(x, own), doubled(x, own), x]).map(\.value.array)
        #expect(values == [[4, 8], [4, 8], [2, 4]])
        #expect(shared.count == 1 && own.count == 2)
    }
}
