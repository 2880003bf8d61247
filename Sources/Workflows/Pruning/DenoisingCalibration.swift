import Diffusion
import Models
import Pruning
import TensorCore

/// The losses that pruning criteria are read from: fixed images, noise and timesteps, spread evenly over the schedule.
final class DenoisingCalibration: PerSampleCalibration, StagedCalibration {
    private let model: UNet
    private let objective: DenoisingObjective
    private let batches: [DenoisingBatch]
    /// One image batch and noise for all stages; small, as there may be a thousand of them.
    private let stageBatch: DenoisingBatch
    let stageCount: Int

    private static let stageBatchSize = 16

    /// - Throws: `ModelInputError` where the model is undefined at one of the timesteps.
    init(
        model: UNet, objective: DenoisingObjective, batches source: BatchSource, count: Int, batchSize: Int
    ) throws {
        self.model = model
        self.objective = objective
        let total = objective.schedule.trainTimesteps
        stageCount = total
        let samples = count * batchSize
        batches = (0..<count).map { batch in
            // Neighbouring batches interleave their timesteps, so that each covers the whole schedule.
            source.fixedBatch(
                number: batch, timesteps: (0..<batchSize).map { (2 * ($0 * count + batch) + 1) * total / (2 * samples) }
            )
        }
        try batches.forEach { try model.check(timesteps: $0.timesteps) }
        stageBatch = source.fixedBatch(
            number: count, timesteps: Array(repeating: 0, count: min(Self.stageBatchSize, batchSize)))
    }

    var batchCount: Int { batches.count }
    var sampleCount: Int { batches.reduce(0) { $0 + $1.count } }

    func loss(batch: Int) -> Variable { objective.loss(of: model, batches[batch]) }

    func loss(stage: Int) throws -> Variable {
        try model.check(timesteps: [stage])
        let batch = DenoisingBatch(
            clean: stageBatch.clean, noise: stageBatch.noise,
            timesteps: Array(repeating: stage, count: stageBatch.count), classLabels: stageBatch.classLabels)
        return objective.loss(of: model, batch)
    }

    func loss(sample: Int) -> Variable {
        let (batch, index) = (batches[sample / batches[0].count], sample % batches[0].count)
        return objective.loss(of: model, batch.image(index))
    }
}
