import TensorCore

/// Σ_t ∇L_t over the stages t = 0, 1, 2, … of a staged task, up to the first whose loss is below
/// `threshold`·max(L_0…L_t); of weights only.
public struct StagedGradients: EvidenceKind {
    public static let name = "staged gradients"

    public struct Value {
        /// Flat, laid out as the arena.
        public let sum: Tensor
        /// How many stages it is the sum of.
        public let stages: Int
    }

    /// In [0, 1); 0 takes all stages.
    public let threshold: Double

    public init(threshold: Double) { self.threshold = threshold }

    public static func isOffered(by calibration: (any CalibrationSource)?) -> Bool {
        ((calibration as? any StagedCalibration)?.stageCount ?? 0) > 0
    }

    public func gather(at masks: Masks, from source: EvidenceSource) throws -> Value {
        let calibration: any StagedCalibration = try source.calibration(for: Self.self)
        let arena = source.arena
        return try masks.applied {
            arena.clearGradients()
            var largest = 0.0
            var stages = 0
            for stage in 0..<calibration.stageCount {
                let loss = try calibration.loss(stage: stage)
                let value = Double(loss.value.scalar)
                guard value.isFinite else { throw EvidenceError.notFinite("the loss of stage \(stage)") }
                largest = max(largest, value)
                guard value >= threshold * largest else { break }
                loss.backward()
                stages += 1
            }
            arena.completeGradients()
            guard arena.gradients.allFinite else { throw EvidenceError.notFinite("a stage's gradient") }
            return Value(sum: arena.gradients.copied(), stages: stages)
        }
    }
}
