import Imagery
import TensorCore

/// Labelled training batches as a pure function of the step: every image once an epoch, in an order of the epoch's own.
struct FeatureBatchSource {
    let dataset: InMemoryDataset
    let batchSize: Int
    let seed: UInt64
    let flip: Bool
    let maximumShift: Int
    private var epoch = -1
    private var order: [Int] = []

    init(dataset: InMemoryDataset, batchSize: Int, seed: UInt64, flip: Bool, maximumShift: Int) {
        self.dataset = dataset
        self.batchSize = batchSize
        self.seed = seed
        self.flip = flip
        self.maximumShift = maximumShift
    }

    /// - Returns: images `[B, H, W, C]` in [−1, 1] and their classes.
    mutating func batch(step: Int) -> (images: Tensor, labels: [Int]) {
        let (height, width, channels) = (dataset.height, dataset.width, dataset.channels)
        let images = Tensor(uninitialized: [batchSize, height, width, channels])
        var labels: [Int] = []
        var stream = RandomStream(seed: seed, purpose: .augmentation, index: UInt64(step))
        for slot in 0..<batchSize {
            let index = image(at: step * batchSize + slot)
            let place = images.pointer + slot * height * width * channels
            dataset.read(index, into: place)
            if flip, stream.uniform() < 0.5 {
                HorizontalFlip.apply(to: place, height: height, width: width, channels: channels)
            }
            if maximumShift > 0 {
                let down = stream.nextInteger(below: 2 * maximumShift + 1) - maximumShift
                let right = stream.nextInteger(below: 2 * maximumShift + 1) - maximumShift
                shift(place, down: down, right: right)
            }
            labels.append(dataset.label(index) ?? 0)
        }
        return (images, labels)
    }

    private mutating func image(at position: Int) -> Int {
        if position / dataset.count != epoch {
            epoch = position / dataset.count
            var stream = RandomStream(seed: seed, purpose: .dataOrder, index: UInt64(epoch))
            order = stream.permutation(count: dataset.count)
        }
        return order[position % dataset.count]
    }

    /// Moves an image, repeating its edge.
    private func shift(_ image: UnsafeMutablePointer<Float>, down: Int, right: Int) {
        guard down != 0 || right != 0 else { return }
        let (height, width, channels) = (dataset.height, dataset.width, dataset.channels)
        let source = Array(UnsafeBufferPointer(start: image, count: height * width * channels))
        for y in 0..<height {
            let fromY = min(max(y - down, 0), height - 1)
            for x in 0..<width {
                let fromX = min(max(x - right, 0), width - 1)
                for c in 0..<channels {
                    image[(y * width + x) * channels + c] = source[(fromY * width + fromX) * channels + c]
                }
            }
        }
    }
}
