import Pruning
import TensorCore
import Training

/// The losses of a task that pruning criteria are read from: fixed batches.
final class TaskCalibration<Task: StagedTask>: CompleteCalibration {
    private let network: Task.Network
    private let task: Task
    /// Of equal counts.
    private let batches: [Task.Batch]
    /// For all stages.
    private let stageBatch: Task.Batch

    /// As there may be a thousand stages.
    private static var maximumStageBatchSize: Int { 16 }

    /// - Throws: what the task says to batches that the network has no loss on.
    init(_ task: Task, network: Task.Network, batches: [Task.Batch], stageBatch: Task.Batch) throws {
        for batch in batches { try task.check(batch, for: network) }
        self.task = task
        self.network = network
        self.batches = batches
        self.stageBatch = stageBatch
    }

    /// - Parameters:
    ///   - source: where batches come from.
    ///   - count: of batches.
    ///   - batchSize: samples in each.
    /// - Throws: what the task says to batches that the network has no loss on.
    convenience init(
        _ task: Task, network: Task.Network, batches source: some BatchSource<Task.Batch>, count: Int, batchSize: Int
    ) throws {
        try self.init(
            task, network: network,
            batches: (0..<count).map { source.calibrationBatch(number: $0, of: count, size: batchSize) },
            stageBatch: source.calibrationBatch(
                number: count, of: count, size: min(Self.maximumStageBatchSize, batchSize)))
    }

    var batchCount: Int { batches.count }
    var sampleCount: Int { batches.reduce(0) { $0 + $1.count } }
    var stageCount: Int { task.stageCount }

    func loss(batch: Int) throws -> Variable { try loss(batches[batch]) }

    func targets(batch: Int) -> SampleTargets? { task.targets(of: batches[batch]) }

    func loss(stage: Int) throws -> Variable {
        let batch = task.batch(stageBatch, at: stage)
        try task.check(batch, for: network)
        return try loss(batch)
    }

    func loss(sample: Int) throws -> Variable {
        let (batch, index) = sample.quotientAndRemainder(dividingBy: batches[0].count)
        return try loss(batches[batch].samples(index..<index + 1))
    }

    private func loss(_ batch: Task.Batch) throws -> Variable {
        try task.loss(of: network, on: batch, teacher: nil, dropout: nil)
    }
}
