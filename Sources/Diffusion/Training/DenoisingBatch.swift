import Models
import TensorCore
import Training

/// Noisy images with their timesteps and what is to be made of them: everything a loss needs, so that it can be
/// evaluated again bit for bit.
public struct DenoisingBatch: LearningBatch {
    /// What x_t is, and what is known of it; all tensors are `[B, H, W, C]`.
    public enum Content {
        /// x₀ in [−1, 1] and the noise ε that x_t is made of.
        case noised(clean: Tensor, noise: Tensor)
        /// x_t itself and what a teacher predicts there, in the model's prediction type: a point on the teacher's way
        /// from noise to an image, of which no x₀ and ε are known but those that it predicts.
        case predicted(noisy: Tensor, prediction: Tensor)
    }

    public let content: Content
    /// One an image, in 0..<T.
    public let timesteps: [Int]
    public let classLabels: ClassLabels?
    /// A unit vector an image, of the shape of x_t, that the loss takes derivatives along; nil where it takes none.
    public var directions: Tensor?
    /// What a teacher predicts for images and noise, in the model's prediction type, where that is known already; nil
    /// where it is to be asked.
    public var reference: Tensor?

    public init(
        _ content: Content, timesteps: [Int], classLabels: ClassLabels? = nil, directions: Tensor? = nil
    ) {
        self.content = content
        self.timesteps = timesteps
        self.classLabels = classLabels
        self.directions = directions
    }

    /// - Parameters:
    ///   - clean: x₀ `[B, H, W, C]` in [−1, 1].
    ///   - noise: ε of the same shape.
    ///   - timesteps: one an image, in 0..<T.
    ///   - classLabels: one an image, of a conditional model.
    ///   - directions: a unit vector an image, that the loss takes derivatives along; nil where it takes none.
    public init(
        clean: Tensor, noise: Tensor, timesteps: [Int], classLabels: ClassLabels? = nil, directions: Tensor? = nil
    ) {
        self.init(
            .noised(clean: clean, noise: noise), timesteps: timesteps, classLabels: classLabels,
            directions: directions)
    }

    /// Of x_t, `[B, H, W, C]`.
    public var shape: [Int] {
        switch content {
        case .noised(let clean, _): clean.shape
        case .predicted(let noisy, _): noisy.shape
        }
    }

    /// x₀.
    ///
    /// - Precondition: there is one.
    public var clean: Tensor {
        guard case .noised(let clean, _) = content else { preconditionFailure("a point of a trajectory has no x₀") }
        return clean
    }

    /// ε.
    ///
    /// - Precondition: there is one.
    public var noise: Tensor {
        guard case .noised(_, let noise) = content else { preconditionFailure("a point of a trajectory has no ε") }
        return noise
    }

    /// Whether nothing but a teacher's prediction is known.
    var isPredicted: Bool {
        guard case .predicted = content else { return false }
        return true
    }

    public var count: Int { timesteps.count }

    public func samples(_ range: Range<Int>) -> DenoisingBatch {
        let part: Content =
            switch content {
            case .noised(let clean, let noise): .noised(clean: clean.rows(range), noise: noise.rows(range))
            case .predicted(let noisy, let prediction):
                .predicted(noisy: noisy.rows(range), prediction: prediction.rows(range))
            }
        var samples = DenoisingBatch(
            part, timesteps: Array(timesteps[range]), classLabels: classLabels?.rows(range),
            directions: directions?.rows(range))
        samples.reference = reference?.rows(range)
        return samples
    }

    /// The same images and noise, all at one timestep.
    ///
    /// - Precondition: images and noise are known.
    public func at(timestep: Int) -> DenoisingBatch {
        DenoisingBatch(
            clean: clean, noise: noise, timesteps: Array(repeating: timestep, count: count), classLabels: classLabels,
            directions: directions)
    }
}
