import Models
import TensorCore
import Testing
import Training

@testable import Diffusion

/// Batches that come again with what a teacher predicted for them.
@Suite struct RepeatedBatchesTests {
    private typealias Fixtures = GenerationFixtures

    private let teacher: UNet
    private let plain: DenoisingBatches
    private let objective: DenoisingObjective

    init() throws {
        teacher = try Fixtures.model()
        plain = try Fixtures.data(for: teacher)
        objective = try DenoisingObjective(SchedulerConfiguration(), weighting: .minSNR)
    }

    private func repeated(uses: Int, steps: Int) -> RepeatedBatches<UNet> {
        RepeatedBatches(plain, objective, predictedBy: teacher, uses: uses, steps: steps, seed: 7)
    }

    /// Which of the plain batches this is.
    private func number(of batch: DenoisingBatch) -> Int? {
        (0..<40).first { plain.batch(step: $0).noise.array == batch.noise.array }
    }

    @Test func everyBatchOfALotComesOnceAPassAndLotsFollowOneAnother() {
        let batches = repeated(uses: 3, steps: 15)
        let numbers = (0..<30).map { number(of: batches.batch(step: $0)) }
        for lot in 0..<2 {
            let passes = (0..<3).map { Array(numbers[lot * 15 + $0 * 5..<lot * 15 + ($0 + 1) * 5]) }
            let own = Array(lot * 5..<(lot + 1) * 5)
            #expect(passes[0] == own)
            for pass in passes[1...] { #expect(pass.compactMap { $0 }.sorted() == own) }
            #expect(passes[1] != passes[2] || passes[1] != own)
        }
    }

    @Test func batchesCarryWhatTheTeacherPredicts() throws {
        let batches = repeated(uses: 2, steps: 8)
        for step in [0, 5, 9] {
            let batch = batches.batch(step: step)
            let expected = objective.prediction(of: teacher, at: objective.noised(batch), batch)
            #expect(try #require(batch.reference).array == expected.value.array)
        }
        #expect(batches.calibrationBatch(number: 0, of: 2, size: 4).reference == nil)
    }

    /// A pure function of the step: one that begins in the midst of a later pass sees the same.
    @Test func aStepDoesNotDependOnThoseBefore() {
        let whole = repeated(uses: 2, steps: 12)
        let all = (0..<24).map(whole.batch)
        for step in [7, 11, 20] {
            let batch = repeated(uses: 2, steps: 12).batch(step: step)
            #expect(batch.noise.array == all[step].noise.array && batch.timesteps == all[step].timesteps)
            #expect(batch.reference?.array == all[step].reference?.array)
        }
    }

    /// The loss is the one with the teacher at hand, to the bit, whatever the share of imitation.
    @Test(arguments: [Float(1), 0.4]) func theLossIsThatOfAskingTheTeacher(distillation: Float) throws {
        let student = try Fixtures.model(seed: 8)
        let batch = repeated(uses: 2, steps: 8).batch(step: 1)
        var asked = batch
        asked.reference = nil
        func loss(_ batch: DenoisingBatch) -> Float {
            objective.loss(of: student, batch, teacher: teacher, distillation: distillation).value.scalar
        }
        #expect(loss(batch) == loss(asked))
        let part = batch.samples(1..<3)
        #expect(part.reference?.array == batch.reference?.rows(1..<3).array)
        #expect(batch.at(timestep: 3).reference == nil)
    }

    @Test func lotsAreBoundedInBytesAndInBatches() {
        #expect(RepeatedBatches<UNet>.lotSize(of: [16, 32, 32, 1]) == 256)
        // 16·256·256·3 floats, three times: 37.7 MB a batch.
        #expect(RepeatedBatches<UNet>.lotSize(of: [16, 256, 256, 3]) == 8)
        #expect(RepeatedBatches<UNet>.lotSize(of: [16, 128, 128, 3]) == 28)
    }
}
