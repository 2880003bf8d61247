import Datasets
import Diffusion
import Imagery
import Testing

@Suite struct DenoisingBatchesTests {
    /// Ten pictures of one pixel, told apart by its value; batches of four,
    /// so that some hold the end of one epoch and the beginning of the next.
    private static func source() throws -> DenoisingBatches {
        let pixels = (0..<10).map { UInt8($0 * 20) }
        return try DenoisingBatches(
            TrainingImages(
                InMemoryDataset(pixels: pixels, height: 1, width: 1, channels: 1), batchSize: 4, seed: 3, flip: false),
            timestepSampling: .uniform, timestepCount: 100, isConditional: false)
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

    /// All batches together cover the schedule evenly, and each of them the whole of it.
    @Test func calibrationBatchesInterleaveTheirTimesteps() throws {
        let source = try Self.source()
        let batches = (0..<5).map { source.calibrationBatch(number: $0, of: 5, size: 4) }
        #expect(batches.flatMap(\.timesteps).sorted() == (0..<20).map { 5 * $0 + 2 })
        #expect(batches[1].timesteps == [7, 32, 57, 82])
        #expect(Set(batches.flatMap { $0.clean.array }).count == 10)
        #expect(batches[2].noise.array == source.calibrationBatch(number: 2, of: 5, size: 4).noise.array)
        #expect(Set(batches.flatMap { $0.noise.array }).count == 20)
    }

    @Test func samplesOfABatchKeepWhatIsTheirs() throws {
        let batch = try Self.source().batch(step: 1)
        let part = batch.samples(1..<3)
        #expect(part.count == 2 && part.timesteps == Array(batch.timesteps[1..<3]))
        #expect(part.clean.array == Array(batch.clean.array[1..<3]))
        #expect(part.noise.array == Array(batch.noise.array[1..<3]))
        #expect(
            batch.at(timestep: 7).timesteps == [7, 7, 7, 7] && batch.at(timestep: 7).clean.array == batch.clean.array)
    }

    /// Unit vectors that depend on the step alone and change nothing else.
    @Test func directedBatchesHaveUnitVectors() throws {
        let plain = try Self.source()
        let directed = DirectedBatches(plain, seed: 3)
        for step in [0, 3] {
            let (batch, without) = (directed.batch(step: step), plain.batch(step: step))
            let directions = try #require(batch.directions)
            // Of one number each.
            #expect(directions.shape == batch.clean.shape && directions.array.allSatisfy { abs(abs($0) - 1) < 1e-6 })
            #expect(without.directions == nil && without.noise.array == batch.noise.array)
            #expect(without.clean.array == batch.clean.array && without.timesteps == batch.timesteps)
            #expect(batch.samples(1..<3).directions?.array == Array(directions.array[1..<3]))
            #expect(batch.at(timestep: 7).directions?.array == directions.array)
        }
        let wide = DirectedBatches.directions([3, 4, 2, 2], seed: 1, step: 2).array
        for image in 0..<3 {
            let length = wide[image * 16..<(image + 1) * 16].reduce(0) { $0 + $1 * $1 }
            #expect(abs(length - 1) < 1e-5)
        }
        #expect(wide == DirectedBatches.directions([3, 4, 2, 2], seed: 1, step: 2).array)
        #expect(wide != DirectedBatches.directions([3, 4, 2, 2], seed: 1, step: 3).array)
        #expect(directed.calibrationBatch(number: 0, of: 2, size: 4).directions == nil)
    }

    @Test func labelsThatAreMissingAreRefused() {
        #expect {
            try DenoisingBatches(
                TrainingImages(
                    InMemoryDataset(pixels: [1], height: 1, width: 1, channels: 1), batchSize: 1, seed: 0, flip: false),
                timestepSampling: .uniform, timestepCount: 10, isConditional: true)
        } throws: {
            "\($0)".contains("images without labels")
        }
    }
}
