import Datasets
import Files
import Imagery
import Models
import TensorCore
import Training

/// Batches of images with noise and timesteps.
public struct DenoisingBatches: BatchSource, Sendable {
    private let images: TrainingImages
    private let timestepSampling: TimestepSampling
    private let timestepCount: Int
    private let isConditional: Bool

    /// - Parameters:
    ///   - images: in the order of training.
    ///   - timestepSampling: how timesteps are drawn.
    ///   - timestepCount: T.
    ///   - isConditional: whether the images' classes go with them.
    /// - Throws: `SettingError` where there are no images, or no labels and a need of them.
    public init(
        _ images: TrainingImages, timestepSampling: TimestepSampling, timestepCount: Int, isConditional: Bool
    ) throws {
        guard images.dataset.count > 0 else {
            throw SettingError(
                key: "data.path", got: "without images", expected: "at least one image")
        }
        guard !isConditional || images.dataset.labelCount != nil else {
            throw SettingError(
                key: "data.path", got: "images without labels",
                expected: "labels, as the model is class-conditional")
        }
        self.images = images
        self.timestepSampling = timestepSampling
        self.timestepCount = timestepCount
        self.isConditional = isConditional
    }

    /// Those that `model` learns from as `settings` say.
    ///
    /// - Parameters:
    ///   - dataset: the images.
    ///   - flip: whether half the images, at random, are mirrored left to right.
    ///   - model: what is trained: whether it takes classes.
    ///   - scheduler: says how many timesteps there are.
    ///   - settings: batch size, seed, and how timesteps are drawn.
    /// - Throws: `SettingError` where the images have no labels and the model needs them.
    public init(
        _ dataset: InMemoryDataset, flip: Bool, for model: some Denoiser, _ scheduler: SchedulerConfiguration,
        _ settings: DenoisingTrainingConfiguration
    ) throws {
        try self.init(
            TrainingImages(dataset, batchSize: settings.batchSize, seed: UInt64(settings.seed), flip: flip),
            timestepSampling: settings.timestepSampling, timestepCount: scheduler.trainTimesteps,
            isConditional: model.classConditioning != .none)
    }

    public func batch(step: Int) -> DenoisingBatch { batch(step: step, position: step) }

    /// Batch `position` in the order of the images, with the noise, timesteps and mirroring of step `step`: for steps
    /// of which only some are made on these images.
    func batch(step: Int, position: Int) -> DenoisingBatch {
        let indices = images.indices(step: position)
        let clean = images.varied(indices, step: step)
        return DenoisingBatch(
            clean: clean, noise: noise(like: clean, .trainingNoise, index: step), timesteps: timesteps(step: step),
            classLabels: labels(indices))
    }

    /// The timesteps of all batches together are spread evenly over the schedule; neighbouring batches interleave
    /// theirs, so that each covers the whole of it.
    public func calibrationBatch(number: Int, of count: Int, size: Int) -> DenoisingBatch {
        let indices = images.calibrationIndices(number: number, size: size)
        let clean = images.plain(indices)
        let timesteps = (0..<size).map { slot in
            min((2 * (slot * count + number) + 1) * timestepCount / (2 * count * size), timestepCount - 1)
        }
        return DenoisingBatch(
            clean: clean, noise: noise(like: clean, .calibration, index: number + 1), timesteps: timesteps,
            classLabels: labels(indices))
    }

    private func noise(like clean: Tensor, _ purpose: RandomPurpose, index: Int) -> Tensor {
        let noise = Tensor(uninitialized: clean.shape)
        var stream = RandomStream(seed: images.seed, purpose: purpose, index: UInt64(index))
        stream.fillNormal(noise.unsafeBuffer)
        return noise
    }

    private func timesteps(step: Int) -> [Int] {
        let size = images.batchSize
        var stream = RandomStream(seed: images.seed, purpose: .trainingTimestep, index: UInt64(step))
        switch timestepSampling {
        case .uniform:
            return (0..<size).map { _ in stream.nextInteger(below: timestepCount) }
        case .antithetic:
            let half = (0..<((size + 1) / 2)).map { _ in stream.nextInteger(below: timestepCount) }
            return Array((half + half.map { timestepCount - 1 - $0 }).prefix(size))
        }
    }

    private func labels(_ indices: [Int]) -> ClassLabels? {
        guard isConditional else { return nil }
        return .numbers(indices.map { Float(images.dataset.label($0) ?? 0) })
    }
}
