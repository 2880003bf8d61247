import Pruning
import TensorCore
import Training

/// The losses of a task that pruning criteria are read from: fixed batches.
final class TaskCalibration<Task: LearningTask>: CompleteCalibration {
    private let network: Task.Network
    private let task: Task
    let batchCount: Int
    /// Samples of each batch.
    private let batchSize: Int
    private let make: () -> Batches
    private lazy var batches = make()

    private struct Batches {
        /// Of equal counts.
        let all: [Task.Batch]
        /// For all stages.
        let stage: Task.Batch
    }

    /// As there may be a thousand stages.
    private static var maximumStageBatchSize: Int { 16 }

    private init(
        _ task: Task, network: Task.Network, batchCount: Int, batchSize: Int, make: @escaping () -> Batches
    ) {
        self.task = task
        self.network = network
        self.batchCount = batchCount
        self.batchSize = batchSize
        self.make = make
    }

    /// - Throws: what the task says to batches that the network has no loss on.
    convenience init(_ task: Task, network: Task.Network, batches: [Task.Batch], stageBatch: Task.Batch) throws {
        self.init(task, network: network, batchCount: batches.count, batchSize: batches.first?.count ?? 0) {
            Batches(all: batches, stage: stageBatch)
        }
        try check()
    }

    /// - Parameters:
    ///   - source: where batches come from; taken when the first is needed where they are made of a supply.
    ///   - count: of batches.
    ///   - batchSize: samples in each.
    /// - Throws: what the task says to batches that the network has no loss on.
    convenience init(
        _ task: Task, network: Task.Network, batches source: any BatchSource<Task.Batch>, count: Int, batchSize: Int
    ) throws {
        self.init(task, network: network, batchCount: count, batchSize: batchSize) {
            Batches(
                all: (0..<count).map { source.calibrationBatch(number: $0, of: count, size: batchSize) },
                stage: source.calibrationBatch(
                    number: count, of: count, size: min(Self.maximumStageBatchSize, batchSize)))
        }
        if source.supply?.canCalibrate != false { try check() }
    }

    private func check() throws {
        for batch in batches.all { try task.check(batch, for: network) }
    }

    var sampleCount: Int { batchCount * batchSize }
    var stageCount: Int { task.stageCount }

    func loss(batch: Int) throws -> Variable { try loss(batches.all[batch]) }

    func targets(batch: Int) -> SampleTargets? { task.targets(of: batches.all[batch]) }
    var hasTargets: Bool { task.hasTargets }

    func loss(stage: Int) throws -> Variable {
        let batch = task.batch(batches.stage, at: stage)
        try task.check(batch, for: network)
        return try loss(batch)
    }

    func loss(sample: Int) throws -> Variable {
        let (batch, index) = sample.quotientAndRemainder(dividingBy: batchSize)
        return try loss(batches.all[batch].samples(index..<index + 1))
    }

    private func loss(_ batch: Task.Batch) throws -> Variable {
        try task.loss(of: network, on: batch, teacher: nil, dropout: nil)
    }
}
