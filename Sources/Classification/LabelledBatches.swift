import Datasets
import Training

/// Batches of labelled images.
public struct LabelledBatches: BatchSource, Sendable {
    private let images: TrainingImages

    /// - Precondition: the images have labels.
    public init(_ images: TrainingImages) {
        precondition(images.dataset.labelCount != nil, "images without labels")
        self.images = images
    }

    public func batch(step: Int) -> LabelledBatch {
        let indices = images.indices(step: step)
        return LabelledBatch(images: images.varied(indices, step: step), labels: labels(indices))
    }

    public func calibrationBatch(number: Int, of count: Int, size: Int) -> LabelledBatch {
        let indices = images.calibrationIndices(number: number, size: size)
        return LabelledBatch(images: images.plain(indices), labels: labels(indices))
    }

    private func labels(_ indices: [Int]) -> [Int] { indices.map { images.dataset.label($0) ?? 0 } }
}
