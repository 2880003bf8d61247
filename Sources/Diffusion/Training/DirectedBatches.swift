import CKernels
import TensorCore
import Training

/// Batches with a random unit vector an image that the loss takes derivatives along, new every step; those to
/// calibrate by have none.
public struct DirectedBatches: BatchSource {
    private let batches: any BatchSource<DenoisingBatch>
    private let seed: UInt64

    /// - Parameters:
    ///   - batches: that get directions.
    ///   - seed: of the training.
    public init(_ batches: any BatchSource<DenoisingBatch>, seed: UInt64) {
        self.batches = batches
        self.seed = seed
    }

    public func batch(step: Int) -> DenoisingBatch {
        var batch = batches.batch(step: step)
        batch.directions = Self.directions(batch.shape, seed: seed, step: step)
        return batch
    }

    public func calibrationBatch(number: Int, of count: Int, size: Int) -> DenoisingBatch {
        batches.calibrationBatch(number: number, of: count, size: size)
    }

    public var supply: (any BatchSupply)? { batches.supply }
    public var keptBytes: Int { batches.keptBytes }

    /// A random unit vector for each of the images that `shape` `[B, H, W, C]` is that of.
    ///
    /// - Parameters:
    ///   - shape: of the images.
    ///   - seed: of the training.
    ///   - step: of the training.
    public static func directions(_ shape: [Int], seed: UInt64, step: Int) -> Tensor {
        let directions = Tensor(uninitialized: shape)
        var stream = RandomStream(seed: seed, purpose: .direction, index: UInt64(step))
        stream.fillNormal(directions.unsafeBuffer)
        let size = directions.count / max(shape[0], 1)
        for image in 0..<shape[0] {
            let vector = directions.pointer + image * size
            let factor = Float(1 / dk_dot(vector, vector, size).squareRoot())
            for place in 0..<size { vector[place] *= factor }
        }
        return directions
    }
}
