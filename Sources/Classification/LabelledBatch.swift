import TensorCore
import Training

/// Images with their classes.
public struct LabelledBatch: LearningBatch {
    /// `[B, H, W, C]` in [−1, 1].
    public let images: Tensor
    /// One an image.
    public let labels: [Int]

    public init(images: Tensor, labels: [Int]) {
        self.images = images
        self.labels = labels
    }

    public var count: Int { labels.count }

    public func samples(_ range: Range<Int>) -> LabelledBatch {
        LabelledBatch(images: images.rows(range), labels: Array(labels[range]))
    }
}
