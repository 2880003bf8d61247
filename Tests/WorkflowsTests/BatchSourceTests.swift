import Imagery
import Testing

@testable import Workflows

@Suite struct BatchSourceTests {
    /// Ten pictures of one pixel, told apart by its value; batches of four, so that some hold the end of one epoch and
    /// the beginning of the next.
    private static func source() throws -> BatchSource {
        let pixels = (0..<10).map { UInt8($0 * 20) }
        return try BatchSource(
            dataset: InMemoryDataset(pixels: pixels, height: 1, width: 1, channels: 1), batchSize: 4, seed: 3,
            flip: false, timestepSampling: .uniform, timestepCount: 100, isConditional: false)
    }

    @Test func everyPictureIsSeenOnceAnEpoch() throws {
        let source = try Self.source()
        let seen = (0..<5).flatMap { source.batch(step: $0).clean.array }
        #expect(Set(seen[..<10]).count == 10 && Set(seen[10...]) == Set(seen[..<10]))
        #expect(Array(seen[..<10]) != Array(seen[10...]))
    }

    @Test func aBatchDependsOnItsStepAlone() throws {
        let source = try Self.source()
        for step in [0, 1, 2, 7, 2, 3, 0, 4] {
            let batch = source.batch(step: step), fresh = try Self.source().batch(step: step)
            #expect(batch.clean.array == fresh.clean.array && batch.noise.array == fresh.noise.array, "step \(step)")
            #expect(batch.timesteps == fresh.timesteps, "step \(step)")
        }
    }
}
