import Layers
import Models
import TensorCore

/// A denoiser whose weights do not change any more, for predicting (see `FrozenWeights`).
public struct Frozen<Model: Denoiser> {
    public let model: Model
    private let weights = FrozenWeights()

    /// - Parameter model: not to be trained, loaded into or averaged while this is in use.
    public init(_ model: Model) { self.model = model }

    /// Bytes of the prepared weights, beside those of the model.
    package var preparedBytes: Int { weights.preparedBytes }

    /// The prediction for `sample` `[B, H, W, C]` at one timestep an image, `[B, H, W, outputChannels]`: the bits that
    /// calling the model gives. Nothing is recorded for a backward pass.
    ///
    /// The caller has validated the shapes with the model's `check`.
    public func prediction(at sample: Tensor, timesteps: [Float], classLabels: ClassLabels? = nil) -> Tensor {
        let batch = sample.shape[0]
        return weights.prediction(of: batch, imageShape: Array(sample.shape[1..<3]) + [model.outputChannels]) {
            $0.count == batch
                ? model(Variable(sample), timesteps: timesteps, classLabels: classLabels, dropout: nil)
                : model(
                    Variable(sample.rows($0)), timesteps: Array(timesteps[$0]), classLabels: classLabels?.rows($0),
                    dropout: nil)
        }
    }
}
