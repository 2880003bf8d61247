import CKernels
import Layers
import TensorCore
import Training

/// The loss of a denoising model: L = mean over all elements of (target − prediction)², the target being ε, x₀ or
/// v = √ᾱ·ε − √(1−ᾱ)·x₀ as the schedule says (Ho et al., 2020; Salimans & Ho, 2022).
public struct DenoisingObjective {
    public let schedule: NoiseSchedule
    public let predictionType: PredictionType
    public let weighting: LossWeighting

    public init(_ configuration: SchedulerConfiguration, weighting: LossWeighting = .uniform) throws {
        self.weighting = weighting
        schedule = try NoiseSchedule(configuration)
        predictionType = configuration.predictionType
    }

    /// Whether `model` is defined at every timestep of the schedule; throws with what was got and expected.
    public func check(_ model: some Denoiser) throws { try model.check(timesteps: [0, schedule.trainTimesteps - 1]) }

    /// x_t = √ᾱ_t·x₀ + √(1−ᾱ_t)·ε.
    public func noised(_ batch: DenoisingBatch) -> Tensor {
        switch batch.content {
        case .noised(let clean, let noise): schedule.noised(clean, with: noise, timesteps: batch.timesteps)
        case .predicted(let noisy, _): noisy
        }
    }

    /// What the model is to predict; where a teacher's prediction is all that is known, that.
    public func target(_ batch: DenoisingBatch) -> Tensor {
        switch (batch.content, predictionType) {
        case (.predicted(_, let prediction), _): prediction
        case (.noised(_, let noise), .epsilon): noise
        case (.noised(let clean, _), .sample): clean
        case (.noised(let clean, let noise), .velocity):
            schedule.velocity(clean, with: noise, timesteps: batch.timesteps)
        }
    }

    /// The model's prediction at x_t; a variance that it predicts beside is left out.
    ///
    /// - Parameters:
    ///   - model: what predicts.
    ///   - noised: x_t.
    ///   - batch: timesteps and classes.
    ///   - directions: of x_t's shape; the prediction's tangent is its derivative along them; nil for none.
    ///   - dropout: what dropout draws; nil for none.
    ///   - outputs: where what the model's blocks put out is kept; nil for nowhere.
    public func prediction(
        of model: some Denoiser, at noised: Tensor, _ batch: DenoisingBatch, along directions: Tensor? = nil,
        dropout: DropoutMask? = nil, keeping outputs: BlockOutputs? = nil
    ) -> Variable {
        let output = model(
            Variable(noised, tangent: directions), timesteps: batch.timesteps.map(Float.init),
            classLabels: batch.classLabels, dropout: dropout, keeping: outputs)
        let channels = noised.shape[3]
        return output.shape[3] == channels ? output : output.channels(0..<channels)
    }

    /// The loss of `model` on `batch`, timesteps weighted as `weighting` says.
    ///
    /// - Parameters:
    ///   - model: what predicts.
    ///   - batch: clean images with noise and timesteps.
    ///   - dropout: what dropout draws; nil for none.
    ///   - teacher: with `distillation` = λ the loss is (1 − λ)·L + λ·mean (prediction − teacher's prediction)².
    ///   - distillation: λ.
    public func loss<Model: Denoiser>(
        of model: Model, _ batch: DenoisingBatch, dropout: DropoutMask? = nil, teacher: Model? = nil,
        distillation: Float = 0
    ) -> Variable {
        terms(of: model, batch, dropout: dropout, teacher: teacher, distillation: distillation).total
    }

    /// The same with more of the teacher imitated than its predictions; it predicts once for all of it.
    ///
    /// - Parameters:
    ///   - model: what predicts.
    ///   - batch: clean images with noise and timesteps.
    ///   - dropout: what dropout draws; nil for none.
    ///   - teacher: what is imitated.
    ///   - distillation: λ of its predictions.
    ///   - features: what is added to the loss, `feature_loss` in logs; nil for nothing.
    ///   - jacobian: likewise, `jacobian_loss`.
    /// - Precondition: `features`' check of the model and the teacher; directions in the batch for `jacobian`.
    public func terms<Model: Denoiser>(
        of model: Model, _ batch: DenoisingBatch, dropout: DropoutMask? = nil, teacher: Model? = nil,
        distillation: Float = 0, features: FeatureDistillation? = nil, jacobian: JacobianMatching? = nil
    ) -> LossTerms {
        let noised = noised(batch)
        // Where a teacher's prediction is all that is known, that is the target.
        let imitates = distillation > 0 && !batch.isPredicted
        guard let teacher, imitates && batch.reference == nil || features != nil || jacobian != nil else {
            let prediction = prediction(of: model, at: noised, batch, dropout: dropout)
            guard imitates, let reference = batch.reference else {
                return LossTerms(weightedError(prediction, target(batch), batch))
            }
            return LossTerms(loss(prediction, reference, batch, distillation: distillation))
        }
        precondition(jacobian == nil || batch.directions != nil, "a batch without directions to take derivatives along")
        let directions = jacobian.flatMap { _ in batch.directions }
        let (own, wanted) = (features.map { _ in BlockOutputs() }, features.map { _ in BlockOutputs() })
        let output = prediction(of: model, at: noised, batch, along: directions, dropout: dropout, keeping: own)
        let reference = Autograd.withoutRecording {
            self.prediction(of: teacher, at: noised, batch, along: directions, keeping: wanted)
        }
        let (prediction, derivative) = jacobian.map { _ in output.separated() } ?? (output, output)
        let loss = loss(prediction, reference.value, batch, distillation: distillation)
        var (total, others) = (loss, [String: Float]())
        func add(_ error: Variable, times weight: Double, as name: String) {
            total = total.combined(plus: error, times: Float(weight))
            others[name] = error.value.scalar
        }
        if let features, let own, let wanted {
            add(features.error(of: own, in: model, to: wanted, in: teacher), times: features.weight, as: "feature_loss")
        }
        if let jacobian {
            let wanted = reference.tangent ?? Tensor(zeros: reference.shape)
            add(jacobian.error(of: derivative, to: wanted), times: jacobian.weight, as: "jacobian_loss")
        }
        return LossTerms(total, loss: loss.value.scalar, others: others)
    }

    /// (1 − λ)·L + λ·imitation.
    private func loss(
        _ prediction: Variable, _ reference: Tensor, _ batch: DenoisingBatch, distillation: Float
    ) -> Variable {
        guard distillation > 0 else { return weightedError(prediction, target(batch), batch) }
        let imitation = weightedError(prediction, reference, batch)
        guard distillation < 1 else { return imitation }
        return weightedError(prediction, target(batch), batch).combined(
            1 - distillation, plus: imitation, times: distillation)
    }

    /// mean of w_t·(prediction − target)² over all elements.
    private func weightedError(_ prediction: Variable, _ target: Tensor, _ batch: DenoisingBatch) -> Variable {
        guard weighting != .uniform else { return prediction.meanSquaredError(to: target) }
        let roots = Tensor(uninitialized: target.shape)
        let size = target.count / max(batch.count, 1)
        for (image, timestep) in batch.timesteps.enumerated() {
            let weight = weighting.weight(
                signal: Double(schedule.signalCoefficient(at: timestep)),
                noise: Double(schedule.noiseCoefficient(at: timestep)), predicting: predictionType)
            (roots.pointer + image * size).update(repeating: Float(weight.squareRoot()), count: size)
        }
        let scaled = Tensor(uninitialized: target.shape)
        dk_multiply(1, target.pointer, roots.pointer, target.count, scaled.pointer, 0)
        return prediction.multiplied(by: Variable(roots)).meanSquaredError(to: scaled)
    }
}
