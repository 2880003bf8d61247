import Pruning
import TensorCore

/// Eight fixed batches of the curve, which criteria are read from.
final class CurveCalibration: CalibrationSource {
    let batchCount = 8
    private let network: Perceptron
    private let curve: Curve

    init(_ network: Perceptron, _ curve: Curve) {
        self.network = network
        self.curve = curve
    }

    func loss(batch: Int) -> Variable {
        let points = curve.calibrationBatch(number: batch, of: batchCount, size: 16)
        return CurveFitting().loss(of: network, on: points, teacher: nil, dropout: nil)
    }
}
