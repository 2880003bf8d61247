import TensorCore

/// The weights of a network that do not change any more, for predicting.
///
/// Layers' weights are prepared for the kernels once. Where images never meet in the network a batch is divided over
/// threads, each of which takes its images through all layers: what one layer writes is still in the thread's cache
/// when the next one reads it, and threads wait for each other once instead of at every layer.
public struct FrozenWeights {
    private let weights = PreparedWeights()

    /// The weights are not to be trained, loaded into or averaged while this is in use.
    public init() {}

    /// Bytes of the prepared weights, beside those of the network.
    package var preparedBytes: Int { weights.bytes }

    /// The bits that one prediction of the whole batch gives. Nothing is recorded for a backward pass.
    ///
    /// - Parameters:
    ///   - batch: images.
    ///   - imageShape: of the prediction for one image.
    ///   - predict: the network's prediction for images `range`, `[range.count] + imageShape`; may be called for
    ///     several ranges at once.
    public func prediction(of batch: Int, imageShape: [Int], _ predict: (_ range: Range<Int>) -> Variable) -> Tensor {
        func predicted(_ range: Range<Int>) -> Tensor {
            Autograd.withoutRecording { weights.using { predict(range).value } }
        }
        let parts = Self.parts(of: batch)
        guard parts.count > 1, !LayerOperation.isObserved else { return predicted(0..<batch) }
        let output = Tensor(uninitialized: [batch] + imageShape)
        OperationProfile.parallelParts(parts.count) { number in
            output.rows(parts[number]).assign(predicted(parts[number]))
        }
        return output
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
