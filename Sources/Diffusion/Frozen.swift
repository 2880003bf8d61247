import Layers
import Models
import TensorCore

/// A denoiser whose weights do not change any more, for predicting.
///
/// Layers' weights are prepared for the kernels once. Images never meet in the network, so a batch is divided over
/// threads, each of which takes its images through all layers: what one layer writes is still in the thread's cache
/// when the next one reads it, and threads wait for each other once instead of at every layer.
public struct Frozen<Model: Denoiser> {
    public let model: Model
    private let weights = PreparedWeights()

    /// - Parameter model: not to be trained, loaded into or averaged while this is in use.
    public init(_ model: Model) { self.model = model }

    /// Bytes of the prepared weights, beside those of the model.
    package var preparedBytes: Int { weights.bytes }

    /// The prediction for `sample` `[B, H, W, C]` at one timestep an image, `[B, H, W, outputChannels]`: the bits that
    /// calling the model gives. Nothing is recorded for a backward pass.
    ///
    /// The caller has validated the shapes with the model's `check`.
    public func prediction(at sample: Tensor, timesteps: [Float], classLabels: ClassLabels? = nil) -> Tensor {
        let parts = Self.parts(of: sample.shape[0])
        guard parts.count > 1, !LayerOperation.isObserved else { return predict(sample, timesteps, classLabels) }
        let output = Tensor(uninitialized: sample.shape.dropLast() + [model.outputChannels])
        OperationProfile.parallelParts(parts.count) { number in
            let images = parts[number]
            output.rows(images).assign(
                predict(sample.rows(images), Array(timesteps[images]), classLabels?.rows(images)))
        }
        return output
    }

    private func predict(_ sample: Tensor, _ timesteps: [Float], _ classLabels: ClassLabels?) -> Tensor {
        Autograd.withoutRecording {
            weights.using {
                model(Variable(sample), timesteps: timesteps, classLabels: classLabels, dropout: nil).value
            }
        }
    }

    /// Images that a thread takes through the network together:
    /// more repay what a layer costs beside its arithmetic, fewer stay in its cache.
    private static var maximumImages: Int { 4 }

    /// Equal parts, as many for each thread; small batches stay whole, their layers being divided instead.
    private static func parts(of batch: Int) -> [Range<Int>] {
        let threads = Engine.threads
        guard threads > 1, batch >= 2 * threads else { return [0..<batch] }
        let rounds = (batch + threads * maximumImages - 1) / (threads * maximumImages)
        let count = rounds * threads
        return (0..<count).map { batch * $0 / count..<batch * ($0 + 1) / count }
    }
}
