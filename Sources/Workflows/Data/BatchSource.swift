import Configuration
import Diffusion
import Imagery
import Models
import Synchronization
import TensorCore

/// How the timesteps of a training batch are drawn.
public enum TimestepSampling: String, Codable, Sendable, CaseIterable {
    case uniform
    /// The second half of a batch mirrors the first, t and T − 1 − t: less variance in the loss.
    case antithetic
}

/// Where a trainer gets its batches from.
public protocol TrainingBatches {
    /// The batch of training step `step` (from 0).
    func batch(step: Int) -> DenoisingBatch
}

/// Training batches as a pure function of the step, so that a resumed run sees what the uninterrupted one would have.
public struct BatchSource: TrainingBatches, Sendable {
    private let dataset: InMemoryDataset
    private let batchSize: Int
    private let seed: UInt64
    private let flip: Bool
    private let timestepSampling: TimestepSampling
    private let timestepCount: Int
    private let isConditional: Bool
    private let lastOrder = EpochOrder()

    public init(
        dataset: InMemoryDataset, batchSize: Int, seed: UInt64, flip: Bool, timestepSampling: TimestepSampling,
        timestepCount: Int, isConditional: Bool
    ) throws {
        guard dataset.count > 0 else {
            throw ConfigurationError.invalid(
                source: "data", key: "path", got: "without images", expected: "at least one image")
        }
        guard !isConditional || dataset.labelCount != nil else {
            throw ConfigurationError.invalid(
                source: "data", key: "path", got: "images without labels",
                expected: "labels, as the model is class-conditional")
        }
        self.dataset = dataset
        self.batchSize = batchSize
        self.seed = seed
        self.flip = flip
        self.timestepSampling = timestepSampling
        self.timestepCount = timestepCount
        self.isConditional = isConditional
    }

    public func batch(step: Int) -> DenoisingBatch {
        let images = indices(step: step)
        let clean = pixels(images, step: step)
        let noise = Tensor(uninitialized: clean.shape)
        var stream = RandomStream(seed: seed, purpose: .trainingNoise, index: UInt64(step))
        stream.fillNormal(noise.unsafeBuffer)
        return DenoisingBatch(clean: clean, noise: noise, timesteps: timesteps(step: step), classLabels: labels(images))
    }

    /// Images and noise that do not change from call to call: for calibration and for measuring errors.
    ///
    /// - Parameter timesteps: one an image.
    public func fixedBatch(number: Int, timesteps: [Int]) -> DenoisingBatch {
        let order = RandomStream(seed: seed, purpose: .calibration).permuted(dataset.count)
        let chosen = timesteps.indices.map { order[(number * timesteps.count + $0) % order.count] }
        let clean = pixels(chosen, step: nil)
        let noise = Tensor(uninitialized: clean.shape)
        var stream = RandomStream(seed: seed, purpose: .calibration, index: UInt64(number + 1))
        stream.fillNormal(noise.unsafeBuffer)
        return DenoisingBatch(clean: clean, noise: noise, timesteps: timesteps, classLabels: labels(chosen))
    }

    /// Every image is seen once an epoch, in an order of the epoch's own.
    private func indices(step: Int) -> [Int] {
        var result: [Int] = []
        var epoch = -1
        var order: [Int] = []
        for position in (step * batchSize)..<((step + 1) * batchSize) {
            if position / dataset.count != epoch {
                epoch = position / dataset.count
                order = lastOrder.order(epoch: epoch) {
                    RandomStream(seed: seed, purpose: .dataOrder, index: UInt64(epoch)).permuted(dataset.count)
                }
            }
            result.append(order[position % dataset.count])
        }
        return result
    }

    private func pixels(_ indices: [Int], step: Int?) -> Tensor {
        let (height, width, channels) = (dataset.height, dataset.width, dataset.channels)
        let result = Tensor(uninitialized: [indices.count, height, width, channels])
        var stream = RandomStream(seed: seed, purpose: .augmentation, index: UInt64(step ?? 0))
        for (slot, index) in indices.enumerated() {
            let place = result.pointer + slot * height * width * channels
            dataset.read(index, into: place)
            if flip, step != nil, stream.uniform() < 0.5 {
                HorizontalFlip.apply(to: place, height: height, width: width, channels: channels)
            }
        }
        return result
    }

    private func timesteps(step: Int) -> [Int] {
        var stream = RandomStream(seed: seed, purpose: .trainingTimestep, index: UInt64(step))
        switch timestepSampling {
        case .uniform:
            return (0..<batchSize).map { _ in stream.nextInteger(below: timestepCount) }
        case .antithetic:
            let half = (0..<((batchSize + 1) / 2)).map { _ in stream.nextInteger(below: timestepCount) }
            return Array((half + half.map { timestepCount - 1 - $0 }).prefix(batchSize))
        }
    }

    private func labels(_ indices: [Int]) -> ClassLabels? {
        guard isConditional else { return nil }
        return .numbers(indices.map { Float(dataset.label($0) ?? 0) })
    }
}

extension RandomStream {
    fileprivate func permuted(_ count: Int) -> [Int] {
        var stream = self
        return stream.permutation(count: count)
    }
}

/// The order of the last epoch asked for: shuffling a large data set costs more than drawing one batch of it.
private final class EpochOrder: Sendable {
    private let last = Mutex((epoch: -1, order: [Int]()))

    func order(epoch: Int, _ shuffle: () -> [Int]) -> [Int] {
        last.withLock { last in
            if last.epoch != epoch { last = (epoch, shuffle()) }
            return last.order
        }
    }
}
