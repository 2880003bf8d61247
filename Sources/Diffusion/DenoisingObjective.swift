import CKernels
import Models
import TensorCore

/// Clean images with the noise and timesteps that are to be undone: everything a loss needs, so that it can be
/// evaluated again bit for bit.
public struct DenoisingBatch {
    /// x₀ `[B, H, W, C]` in [−1, 1].
    public let clean: Tensor
    /// ε of the same shape.
    public let noise: Tensor
    /// One an image, in 0..<T.
    public let timesteps: [Int]
    public let classLabels: ClassLabels?

    public init(clean: Tensor, noise: Tensor, timesteps: [Int], classLabels: ClassLabels? = nil) {
        self.clean = clean
        self.noise = noise
        self.timesteps = timesteps
        self.classLabels = classLabels
    }

    public var count: Int { timesteps.count }
}

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
    public func check(_ model: UNet) throws { try model.check(timesteps: [0, schedule.trainTimesteps - 1]) }

    /// x_t = √ᾱ_t·x₀ + √(1−ᾱ_t)·ε.
    public func noised(_ batch: DenoisingBatch) -> Tensor {
        combination(batch) { ($0.signal, $0.noise) }
    }

    /// What the model is to predict.
    public func target(_ batch: DenoisingBatch) -> Tensor {
        switch predictionType {
        case .epsilon: batch.noise
        case .sample: batch.clean
        case .velocity: combination(batch) { (-$0.noise, $0.signal) }
        }
    }

    /// The model's prediction at x_t; a variance that it predicts beside is left out.
    public func prediction(
        of model: UNet, at noised: Tensor, _ batch: DenoisingBatch, dropout: DropoutMask? = nil
    ) -> Variable {
        let output = model(
            Variable(noised), timesteps: batch.timesteps.map(Float.init), classLabels: batch.classLabels,
            dropout: dropout)
        let channels = batch.clean.shape[3]
        return output.shape[3] == channels ? output : output.channels(0..<channels)
    }

    /// The loss of `model` on `batch`, timesteps weighted as `weighting` says.
    ///
    /// - Parameters:
    ///   - teacher: with `distillation` = λ the loss is (1 − λ)·L + λ·mean (prediction − teacher's prediction)².
    public func loss(
        of model: UNet, _ batch: DenoisingBatch, dropout: DropoutMask? = nil, teacher: UNet? = nil,
        distillation: Float = 0
    ) -> Variable {
        let noised = noised(batch)
        let prediction = prediction(of: model, at: noised, batch, dropout: dropout)
        guard let teacher, distillation > 0 else { return weightedError(prediction, target(batch), batch) }
        let reference = Autograd.withoutRecording { self.prediction(of: teacher, at: noised, batch).value }
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

    private func combination(
        _ batch: DenoisingBatch, _ factors: ((signal: Float, noise: Float)) -> (Float, Float)
    ) -> Tensor {
        let result = Tensor(uninitialized: batch.clean.shape)
        let size = result.count / max(batch.count, 1)
        for (image, timestep) in batch.timesteps.enumerated() {
            let (a, b) = factors(
                (Float(schedule.signalCoefficient(at: timestep)), Float(schedule.noiseCoefficient(at: timestep))))
            let offset = image * size
            dk_linear_combination(
                a, batch.clean.pointer + offset, b, batch.noise.pointer + offset, size, result.pointer + offset, 0)
        }
        return result
    }
}

extension DenoisingBatch {
    /// The batch of image `index` alone.
    public func image(_ index: Int) -> DenoisingBatch {
        let labels: ClassLabels? =
            switch classLabels {
            case .numbers(let numbers)?: .numbers([numbers[index]])
            case .vectors(let vectors)?: .vectors(vectors.rows(index..<(index + 1)))
            case nil: nil
            }
        return DenoisingBatch(
            clean: clean.rows(index..<(index + 1)), noise: noise.rows(index..<(index + 1)),
            timesteps: [timesteps[index]], classLabels: labels)
    }
}
