import Layers
import TensorCore
import Training

/// Learning to tell classes apart: the mean cross-entropy of the labels.
public struct Classification<Model: Classifier>: LearningTask {
    public init() {}

    /// - Precondition: there is no teacher.
    public func loss(
        of network: Model, on batch: LabelledBatch, teacher: Model?, dropout: DropoutMask?
    ) -> Variable {
        precondition(teacher == nil, "classification imitates no teacher")
        return network.logits(of: Variable(batch.images)).crossEntropy(to: batch.labels)
    }

    public var hasTargets: Bool { true }

    public func targets(of batch: LabelledBatch) -> SampleTargets? {
        .classes(batch.labels, count: (batch.labels.max() ?? 0) + 1)
    }
}
