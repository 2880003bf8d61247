import Pruning
import Runs
import TensorCore

/// A source of losses that tells of each one taken from it, and of which none is taken any more once the work is asked to
/// stop.
final class WatchedCalibration: PerSampleCalibration, StagedCalibration {
    private let source: any PerSampleCalibration & StagedCalibration
    private let interruption: Interruption

    init(_ source: any PerSampleCalibration & StagedCalibration, interruption: Interruption) {
        self.source = source
        self.interruption = interruption
    }

    var batchCount: Int { source.batchCount }
    var stageCount: Int { source.stageCount }
    var sampleCount: Int { source.sampleCount }

    func loss(batch: Int) throws -> Variable { try watched { try source.loss(batch: batch) } }
    func loss(stage: Int) throws -> Variable { try watched { try source.loss(stage: stage) } }
    func loss(sample: Int) throws -> Variable { try watched { try source.loss(sample: sample) } }

    private func watched(_ loss: () throws -> Variable) throws -> Variable {
        try interruption.check()
        return try loss()
    }
}
