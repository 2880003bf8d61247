import Pruning
import Reports
import Runs
import TensorCore

/// A source of losses that tells of each one taken from it.
final class ReportingCalibration: PerSampleCalibration, StagedCalibration {
    private let source: any PerSampleCalibration & StagedCalibration
    private let total: Int
    private let progress: ProgressHandler?
    private var taken = 0

    /// - Parameter total: how many losses will be asked for, at most.
    init(_ source: any PerSampleCalibration & StagedCalibration, total: Int, progress: ProgressHandler?) {
        self.source = source
        self.total = total
        self.progress = progress
    }

    var batchCount: Int { source.batchCount }
    var stageCount: Int { source.stageCount }
    var sampleCount: Int { source.sampleCount }

    func loss(batch: Int) throws -> Variable { report(try source.loss(batch: batch)) }
    func loss(stage: Int) throws -> Variable { report(try source.loss(stage: stage)) }
    func loss(sample: Int) throws -> Variable { report(try source.loss(sample: sample)) }

    private func report(_ loss: Variable) -> Variable {
        taken += 1
        progress?(
            ProgressUpdate(
                phase: "scoring", completed: taken, total: max(total, taken),
                detail: "loss \(NumberText.plain(Double(loss.value.scalar), decimals: 5))"))
        return loss
    }
}
