import TensorCore

/// The plain loss of a mask: L, the mean over the calibration batches, with nothing recorded.
public struct CalibrationLoss: EvidenceKind {
    public static let name = "loss"

    public init() {}

    public func gather(at masks: Masks, from source: EvidenceSource) throws -> Double {
        let calibration: any CalibrationSource = try source.calibration(for: Self.self)
        let sum = try masks.applied {
            try (0..<calibration.batchCount).reduce(0.0) { total, batch in
                try total + Double(Autograd.withoutRecording { try calibration.loss(batch: batch) }.value.scalar)
            }
        }
        guard sum.isFinite else { throw EvidenceError.notFinite("the calibration loss") }
        return sum / Double(calibration.batchCount)
    }
}
