import CKernels
import Foundation
import Layers
import TensorCore
import Training

/// Learning to tell classes apart: the mean cross-entropy of the labels, smoothed or not, and imitation of a teacher's
/// logits beside it.
///
///     L = mean −Σ_k q_k·ln p_k        q_k = (1 − s)·[k is the label] + s/K
///     total = (1 − λ)·L + λ·T²·mean KL(softmax(teacher/T) ‖ softmax(logits/T))
///
/// While it learns (with a step's dropout named), batch normalisations take the moments of the batch.
///
/// Based on: Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", 2015, arXiv 1512.00567 (label
/// smoothing); Hinton, Vinyals & Dean, "Distilling the Knowledge in a Neural Network", 2015, arXiv 1503.02531.
public struct Classification<Model: Classifier>: LearningTask {
    /// s.
    public let labelSmoothing: Double
    /// Weight λ of imitating a teacher, where there is one.
    public let distillation: Double
    /// T.
    public let temperature: Double

    /// - Parameters:
    ///   - labelSmoothing: in [0, 1).
    ///   - distillation: in [0, 1].
    ///   - temperature: above 0.
    public init(labelSmoothing: Double = 0, distillation: Double = 0, temperature: Double = 1) {
        self.labelSmoothing = labelSmoothing
        self.distillation = distillation
        self.temperature = temperature
    }

    public func loss(
        of network: Model, on batch: LabelledBatch, teacher: Model?, dropout: DropoutMask?
    ) -> Variable {
        terms(of: network, on: batch, teacher: teacher, dropout: dropout).total
    }

    /// With the share of the batch that is classified correctly, as `accuracy`.
    public func terms(
        of network: Model, on batch: LabelledBatch, teacher: Model?, dropout: DropoutMask?
    ) -> LossTerms {
        let images = Variable(batch.images)
        let logits =
            dropout == nil ? network.logits(of: images) : BatchStatistics.taken { network.logits(of: images) }
        let correct = zip(logits.value.likeliestClasses, batch.labels).count { $0 == $1 }
        let others = ["accuracy": Float(correct) / Float(max(batch.count, 1))]
        guard let teacher, distillation > 0 else { return LossTerms(own(logits, batch.labels), others: others) }
        let reference = Autograd.withoutRecording { teacher.logits(of: images).value }
        let imitation = imitation(of: reference, by: logits)
        guard distillation < 1 else { return LossTerms(imitation, others: others) }
        return LossTerms(
            own(logits, batch.labels).combined(
                Float(1 - distillation), plus: imitation, times: Float(distillation)), others: others)
    }

    private func own(_ logits: Variable, _ labels: [Int]) -> Variable {
        guard labelSmoothing > 0 else { return logits.crossEntropy(to: labels) }
        let classes = logits.shape[1]
        let targets = Tensor(uninitialized: logits.shape)
        targets.fill(Float(labelSmoothing / Double(classes)))
        for (row, label) in labels.enumerated() {
            targets.pointer[row * classes + label] = Float(1 - labelSmoothing + labelSmoothing / Double(classes))
        }
        return logits.crossEntropy(toDistributions: targets)
    }

    /// T²·KL.
    private func imitation(of reference: Tensor, by logits: Variable) -> Variable {
        let (rows, classes) = (logits.shape[0], logits.shape[1])
        let scale = Float(1 / temperature)
        let targets = Tensor(uninitialized: reference.shape)
        dk_softmax(reference.pointer, scale, rows, classes, targets.pointer)
        // KL is the cross-entropy less the targets' own entropy, which is no matter of the network's.
        var entropy = 0.0
        for value in targets.unsafeBuffer where value > 0 { entropy -= Double(value) * log(Double(value)) }
        return logits.scaled(by: scale).crossEntropy(toDistributions: targets)
            .adding(Float(-entropy / Double(max(rows, 1)))).scaled(by: Float(temperature * temperature))
    }

    /// - Throws: `ClassificationError.label` where the network has no such class.
    public func check(_ batch: LabelledBatch, for network: Model) throws {
        guard let label = batch.labels.first(where: { !(0..<network.classCount).contains($0) }) else { return }
        throw ClassificationError.label(got: label, classes: network.classCount)
    }

    public var hasTargets: Bool { true }

    public func targets(of batch: LabelledBatch) -> SampleTargets? {
        .classes(batch.labels, count: (batch.labels.max() ?? 0) + 1)
    }
}
