import Pruning
import Runs
import TensorCore
import Training

/// A source of losses that tells of each one before it is taken.
final class ObservedCalibration: CompleteCalibration {
    /// What a loss is of, in the user's words.
    enum Part: String {
        case batch
        case stage = "timestep"
        case sample = "picture"
    }

    private let source: any CompleteCalibration
    private let before: (Part) throws -> Void

    /// - Parameter before: what it throws is thrown in place of a loss.
    init(_ source: any CompleteCalibration, before: @escaping (Part) throws -> Void) {
        self.source = source
        self.before = before
    }

    var batchCount: Int { source.batchCount }
    var stageCount: Int { source.stageCount }
    var sampleCount: Int { source.sampleCount }

    func loss(batch: Int) throws -> Variable {
        try before(.batch)
        return try source.loss(batch: batch)
    }

    func loss(stage: Int) throws -> Variable {
        try before(.stage)
        return try source.loss(stage: stage)
    }

    func loss(sample: Int) throws -> Variable {
        try before(.sample)
        return try source.loss(sample: sample)
    }

    func targets(batch: Int) -> SampleTargets? { source.targets(batch: batch) }
    var hasTargets: Bool { source.hasTargets }
}

/// The losses of one piece of work, in the order in which they are taken: passes over all batches, pictures or
/// timesteps.
struct LossCount {
    /// Taken so far, the one under way included.
    private(set) var taken = 0

    /// Another one is taken.
    ///
    /// - Parameter source: where it comes from.
    /// - Returns: where that stands.
    mutating func take(
        _ part: ObservedCalibration.Part, of source: any CompleteCalibration, phase: String,
        place: String = ""
    ) -> ProgressUpdate {
        taken += 1
        let count =
            switch part {
            case .batch: source.batchCount
            case .stage: source.stageCount
            case .sample: source.sampleCount
            }
        let (pass, index) = (taken - 1).quotientAndRemainder(dividingBy: max(count, 1))
        return ProgressUpdate(
            phase: pass == 0 ? phase : "\(phase) pass \(pass + 1),", unit: part.rawValue, completed: index + 1,
            total: count, place: place)
    }
}
