import TensorCore
import Training

/// Where losses come from that criteria are read from. Everything is fixed,
/// so that scores can be compared between rounds.
///
/// What more a source can give it says by conforming to `PerSampleCalibration` and `StagedCalibration`.
public protocol CalibrationSource: AnyObject {
    /// Number of fixed batches whose mean is *the* loss.
    var batchCount: Int { get }
    /// The mean loss of one batch with the network's present weights and gates.
    func loss(batch: Int) throws -> Variable
}

/// A source whose losses can be had sample by sample.
public protocol PerSampleCalibration: CalibrationSource {
    var sampleCount: Int { get }
    /// The loss of one sample alone.
    func loss(sample: Int) throws -> Variable
}

/// A source whose task may fall into stages that are learned side by side, from 0 upward.
public protocol StagedCalibration: CalibrationSource {
    /// 0 where the task has none.
    var stageCount: Int { get }
    /// The loss of one fixed batch, all of it at `stage`.
    func loss(stage: Int) throws -> Variable
}

/// A source of everything that evidence can be gathered from.
public typealias CompleteCalibration = PerSampleCalibration & StagedCalibration & TargetedCalibration

/// A source that may say what there is to tell of its samples beside the loss.
public protocol TargetedCalibration: CalibrationSource {
    /// Of the samples of one fixed batch; nil for nothing.
    func targets(batch: Int) -> SampleTargets?
    /// Whether there is something to tell: also where batches are still to be made.
    var hasTargets: Bool { get }
}

extension TargetedCalibration {
    public var hasTargets: Bool { targets(batch: 0) != nil }
}
