import TensorCore
import Testing

@testable import PruningMethods

@Suite struct SparseFlowTests {
    private func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

    private func drawn(_ index: UInt64, scale: Double) -> [Double] {
        var stream = RandomStream(seed: 4, purpose: "test-flow", index: index)
        return (0..<30).map { _ in scale * Double(stream.normal()) }
    }

    /// On its own clock the density falls at unit rate, and r says how long the step is beside the shortest such step.
    @Test(arguments: [1.0, 1.1, 3, 100], [1e-6, 1, 1e6])
    func theStepFallsAtUnitRateAndHasItsLength(ratio: Double, scale: Double) {
        for index in 0..<5 as Range<UInt64> {
            let (e, g) = (drawn(2 * index, scale: scale), drawn(2 * index + 1, scale: 1))
            let step = SparseFlow(ratio: ratio).direction(energy: e, density: g)
            #expect(abs(dot(g, step) - 1) < 1e-9)
            #expect(abs((dot(step, step) * dot(g, g)).squareRoot() - ratio) < 1e-9 * ratio)
        }
    }

    @Test func theEnergyIsFollowedTheMoreTheLargerTheRatio() {
        let (e, g) = (drawn(20, scale: 1), drawn(21, scale: 1))
        let gains = [1, 1.1, 2, 10].map { dot(e, SparseFlow(ratio: $0).direction(energy: e, density: g)) }
        #expect(zip(gains, gains.dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test(arguments: [2.0, -0.5, 0]) func whereEnergyAndDensityAreParallelOnlyTheDensityMoves(factor: Double) {
        let g = drawn(30, scale: 1)
        let step = SparseFlow(ratio: 3).direction(energy: g.map { factor * $0 }, density: g)
        #expect(zip(step, g).allSatisfy { abs($0 - $1 / dot(g, g)) < 1e-12 })
    }

    @Test func withoutADensityNothingMoves() {
        #expect(SparseFlow(ratio: 3).direction(energy: [1, 2], density: [0, 0]) == [0, 0])
    }
}
