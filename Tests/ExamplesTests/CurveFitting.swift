import Foundation
import Layers
import TensorCore
import Training

/// Points of a curve: `x` and `y` are `[B, 1]`.
struct Points: LearningBatch {
    let x: Tensor
    let y: Tensor

    var count: Int { x.shape[0] }

    func samples(_ range: Range<Int>) -> Points { Points(x: x.rows(range), y: y.rows(range)) }
}

/// Random points of y = sin(3x), −1 ≤ x ≤ 1: the same ones for the same step.
struct Curve: BatchSource {
    let seed: UInt64
    let batchSize = 32

    func batch(step: Int) -> Points { points("curve-training", step, batchSize) }

    func calibrationBatch(number: Int, of count: Int, size: Int) -> Points {
        points("curve-calibration", number, size)
    }

    private func points(_ purpose: RandomPurpose, _ index: Int, _ count: Int) -> Points {
        var stream = RandomStream(seed: seed, purpose: purpose, index: UInt64(index))
        let x = (0..<count).map { _ in Float(2 * stream.uniform() - 1) }
        return Points(x: Tensor(x, shape: [count, 1]), y: Tensor(x.map { sin(3 * $0) }, shape: [count, 1]))
    }
}

/// Learns the curve.
struct CurveFitting: LearningTask {
    func loss(of network: Perceptron, on batch: Points, teacher: Perceptron?, dropout: DropoutMask?) -> Variable {
        network(Variable(batch.x)).meanSquaredError(to: batch.y)
    }
}
