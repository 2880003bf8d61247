import Models
import TensorCore
import Training

/// Clean images with the noise and timesteps that are to be undone: everything a loss needs, so that it can be
/// evaluated again bit for bit.
public struct DenoisingBatch: LearningBatch {
    /// x₀ `[B, H, W, C]` in [−1, 1].
    public let clean: Tensor
    /// ε of the same shape.
    public let noise: Tensor
    /// One an image, in 0..<T.
    public let timesteps: [Int]
    public let classLabels: ClassLabels?
    /// A unit vector an image, of the shape of `clean`, that the loss takes derivatives along; nil where it takes none.
    public var directions: Tensor?

    public init(
        clean: Tensor, noise: Tensor, timesteps: [Int], classLabels: ClassLabels? = nil, directions: Tensor? = nil
    ) {
        self.clean = clean
        self.noise = noise
        self.timesteps = timesteps
        self.classLabels = classLabels
        self.directions = directions
    }

    public var count: Int { timesteps.count }

    public func samples(_ range: Range<Int>) -> DenoisingBatch {
        DenoisingBatch(
            clean: clean.rows(range), noise: noise.rows(range), timesteps: Array(timesteps[range]),
            classLabels: classLabels?.rows(range), directions: directions?.rows(range))
    }

    /// The same images and noise, all at one timestep.
    public func at(timestep: Int) -> DenoisingBatch {
        DenoisingBatch(
            clean: clean, noise: noise, timesteps: Array(repeating: timestep, count: count), classLabels: classLabels,
            directions: directions)
    }
}
