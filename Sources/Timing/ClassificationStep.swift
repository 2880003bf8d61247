import Classification
import Layers
import TensorCore

/// The logits of a batch, for measuring.
public struct ClassificationStep<Model: Classifier>: TimedStep {
    private let model: Model
    private let images: Tensor
    private let weights = FrozenWeights()

    /// - Parameters:
    ///   - model: what is asked.
    ///   - imageShape: height, width and channels of an image.
    ///   - batch: random images.
    public init(model: Model, imageShape: [Int], batch: Int) {
        self.model = model
        images = Tensor(uninitialized: [batch] + imageShape)
        var stream = RandomStream(seed: 0, purpose: .calibration)
        stream.fillNormal(images.unsafeBuffer)
    }

    public func callAsFunction() {
        let batch = images.shape[0]
        _ = weights.prediction(of: batch, imageShape: [model.classCount]) {
            model.logits(of: Variable($0.count == batch ? images : images.rows($0)))
        }
    }

    public func peakBytes() -> Int {
        BufferPool.shared.peakGrowth { self() } + (model.parameterCount + images.count) * MemoryLayout<Float>.size
    }
}
