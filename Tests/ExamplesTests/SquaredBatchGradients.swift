import Pruning
import TensorCore

/// The mean over calibration batches of g², g the gradient of a batch's loss: flat, laid out as the arena.
struct SquaredBatchGradients: EvidenceKind {
    static let name = "squared batch gradients"

    func gather(at masks: Masks, from source: EvidenceSource) throws -> Tensor {
        let calibration: any CalibrationSource = try source.calibration(for: Self.self)
        let arena = source.arena
        return try masks.applied {
            let sum = Tensor(zeros: [arena.count])
            for batch in 0..<calibration.batchCount {
                arena.clearGradients()
                try calibration.loss(batch: batch).backward()
                arena.completeGradients()
                arena.addSquaredGradients(to: sum, scale: 1 / Float(calibration.batchCount))
            }
            guard sum.allFinite else { throw EvidenceError.notFinite("a batch's gradient") }
            return sum
        }
    }
}
