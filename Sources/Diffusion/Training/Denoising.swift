import Layers
import TensorCore
import Training

/// Learning to denoise; the timesteps are its stages.
public struct Denoising<Model: Denoiser>: LearningTask {
    public let objective: DenoisingObjective
    /// Weight λ of imitating a teacher's predictions, where there is one.
    public let distillation: Double
    /// Imitation of the teacher's features beside it; nil for none.
    public let features: FeatureDistillation?
    /// Matching of the second moments of the teacher's Jacobian; nil for none.
    public let jacobian: JacobianMatching?

    public init(
        _ objective: DenoisingObjective, distillation: Double = 0, features: FeatureDistillation? = nil,
        jacobian: JacobianMatching? = nil
    ) {
        self.objective = objective
        self.distillation = distillation
        self.features = features
        self.jacobian = jacobian
    }

    public func loss(
        of network: Model, on batch: DenoisingBatch, teacher: Model?, dropout: DropoutMask?
    ) -> Variable {
        terms(of: network, on: batch, teacher: teacher, dropout: dropout).total
    }

    public func terms(
        of network: Model, on batch: DenoisingBatch, teacher: Model?, dropout: DropoutMask?
    ) -> LossTerms {
        objective.terms(
            of: network, batch, dropout: dropout, teacher: teacher, distillation: Float(distillation),
            features: features, jacobian: jacobian)
    }

    /// - Throws: what the network says to a timestep that it is not defined at.
    public func check(_ batch: DenoisingBatch, for network: Model) throws {
        try network.check(timesteps: batch.timesteps)
    }

    /// The class of each image where it is told by number, else what is to be predicted of it.
    public func targets(of batch: DenoisingBatch) -> SampleTargets? {
        guard case .numbers(let numbers)? = batch.classLabels else { return .values(objective.target(batch)) }
        let classes = numbers.map { Int($0) }
        return .classes(classes, count: (classes.max() ?? 0) + 1)
    }

    public var hasTargets: Bool { true }

    public var stageCount: Int { objective.schedule.trainTimesteps }

    public func batch(_ batch: DenoisingBatch, at stage: Int) -> DenoisingBatch { batch.at(timestep: stage) }
}
