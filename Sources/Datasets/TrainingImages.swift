import Imagery
import Synchronization
import TensorCore

/// The images of a data set as training goes through them: which ones a step sees, and how they are varied, as a pure
/// function of the step.
public struct TrainingImages: Sendable {
    public let dataset: InMemoryDataset
    public let batchSize: Int
    public let seed: UInt64
    private let flip: Bool
    private let maximumShift: Int
    private let border: Border
    private let lastOrder = EpochOrder()

    /// What comes in where an image is moved.
    public enum Border: Sendable {
        /// The edge, repeated.
        case repeated
        /// Black: a random crop of the image with black around it.
        case black
    }

    /// - Parameters:
    ///   - dataset: the images.
    ///   - batchSize: images of a step.
    ///   - seed: what order, mirroring and moving follow from.
    ///   - flip: whether half the images, at random, are mirrored left to right.
    ///   - maximumShift: pixels that images are moved by at most, at random, each way.
    ///   - border: what comes in.
    public init(
        _ dataset: InMemoryDataset, batchSize: Int, seed: UInt64, flip: Bool, maximumShift: Int = 0,
        border: Border = .repeated
    ) {
        self.dataset = dataset
        self.batchSize = batchSize
        self.seed = seed
        self.flip = flip
        self.maximumShift = maximumShift
        self.border = border
    }

    /// The numbers of the images of step `step`: every image is seen once an epoch, in an order of the epoch's own.
    public func indices(step: Int) -> [Int] {
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

    /// The numbers of `size` images that do not change from call to call: run `number` of an order for calibration.
    public func calibrationIndices(number: Int, size: Int) -> [Int] {
        let order = RandomStream(seed: seed, purpose: .calibration).permuted(dataset.count)
        return (0..<size).map { order[(number * size + $0) % order.count] }
    }

    /// The images of step `step` as they are varied then, `[B, H, W, C]` in [−1, 1].
    ///
    /// - Parameters:
    ///   - indices: those of the step.
    ///   - step: what mirroring and moving are drawn for.
    public func varied(_ indices: [Int], step: Int) -> Tensor {
        var stream = RandomStream(seed: seed, purpose: .augmentation, index: UInt64(step))
        return pixels(indices) { place in
            if flip, stream.uniform() < 0.5 {
                HorizontalFlip.apply(
                    to: place, height: dataset.height, width: dataset.width, channels: dataset.channels)
            }
            if maximumShift > 0 {
                let down = stream.nextInteger(below: 2 * maximumShift + 1) - maximumShift
                let right = stream.nextInteger(below: 2 * maximumShift + 1) - maximumShift
                shift(place, down: down, right: right)
            }
        }
    }

    /// The images as they are.
    public func plain(_ indices: [Int]) -> Tensor { pixels(indices) { _ in } }

    private func pixels(_ indices: [Int], _ vary: (UnsafeMutablePointer<Float>) -> Void) -> Tensor {
        let (height, width, channels) = (dataset.height, dataset.width, dataset.channels)
        let result = Tensor(uninitialized: [indices.count, height, width, channels])
        for (slot, index) in indices.enumerated() {
            let place = result.pointer + slot * height * width * channels
            dataset.read(index, into: place)
            vary(place)
        }
        return result
    }

    /// Moves an image; black is −1.
    private func shift(_ image: UnsafeMutablePointer<Float>, down: Int, right: Int) {
        guard down != 0 || right != 0 else { return }
        let (height, width, channels) = (dataset.height, dataset.width, dataset.channels)
        let source = Array(UnsafeBufferPointer(start: image, count: height * width * channels))
        for y in 0..<height {
            let fromY = min(max(y - down, 0), height - 1)
            for x in 0..<width {
                let fromX = min(max(x - right, 0), width - 1)
                let isBlack = border == .black && (fromY != y - down || fromX != x - right)
                for c in 0..<channels {
                    image[(y * width + x) * channels + c] =
                        isBlack ? -1 : source[(fromY * width + fromX) * channels + c]
                }
            }
        }
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
