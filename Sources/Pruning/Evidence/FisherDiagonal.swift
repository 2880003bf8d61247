import TensorCore

/// The diagonal of the empirical Fisher information: the mean over samples of the squared gradient of each sample's own
/// loss (not the square of the mean gradient). Flat, laid out as the arena.
public struct FisherDiagonal: EvidenceKind {
    public static let name = "per-sample gradients"

    public init() {}

    public static func isOffered(by calibration: (any CalibrationSource)?) -> Bool {
        calibration is any PerSampleCalibration
    }

    public func gather(at masks: Masks, from source: EvidenceSource) throws -> Tensor {
        let calibration: any PerSampleCalibration = try source.calibration(for: Self.self)
        let arena = source.arena
        return try masks.applied {
            let sum = Tensor(zeros: [arena.count])
            for sample in 0..<calibration.sampleCount {
                arena.clearGradients()
                try calibration.loss(sample: sample).backward()
                arena.completeGradients()
                arena.addSquaredGradients(to: sum, scale: 1 / Float(calibration.sampleCount))
            }
            guard sum.allFinite else { throw EvidenceError.notFinite("a sample's gradient") }
            return sum
        }
    }
}
