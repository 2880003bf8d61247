import TensorCore

/// Gradients of the calibration loss with respect to weights and masks: means over the batches.
public struct Gradients: EvidenceKind {
    public static let name = "gradients"

    public struct Value {
        public let loss: Double
        /// ∂L/∂w, flat, laid out as the arena.
        public let weights: Tensor
        /// What each batch adds to ∂L/∂m.
        public let masks: MaskReadings
    }

    public init() {}

    public func gather(at masks: Masks, from source: EvidenceSource) throws -> Value {
        let calibration: any CalibrationSource = try source.calibration(for: Self.self)
        let arena = source.arena
        return try masks.applied(trainable: true) { applied in
            arena.clearGradients()
            var total = 0.0
            var readings = MaskReadings(masks.space, batches: calibration.batchCount)
            for batch in 0..<calibration.batchCount {
                let loss = try calibration.loss(batch: batch).scaled(by: 1 / Float(calibration.batchCount))
                total += Double(loss.value.scalar)
                loss.backward()
                readings.add(applied.takeGradients().gradients)
            }
            arena.completeGradients()
            guard total.isFinite, arena.gradients.allFinite else {
                throw EvidenceError.notFinite("the calibration loss")
            }
            return Value(loss: total, weights: arena.gradients.copied(), masks: readings)
        }
    }
}
