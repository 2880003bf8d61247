import Diffusion
import Statistics
import TensorCore

/// How far apart two models' noise predictions are on the same noisy images, timestep by timestep, and how far each is
/// from the truth.
public struct NoisePredictionErrors: Sendable {
    public struct AtTimestep: Sendable {
        public let timestep: Int
        /// Over images: mean over elements of (ε_dense − ε_pruned)².
        public let difference: SampleStatistics
        /// Over images: the model's own loss, mean over elements of (target − prediction)², in the model's own target.
        public let denseLoss: SampleStatistics
        public let prunedLoss: SampleStatistics
    }

    public let timesteps: [AtTimestep]
    /// The difference of each image, averaged over the timesteps.
    public let byImage: [Double]

    /// `count` timesteps in the middles of equal parts of 0 ..< `total`.
    public static func spread(_ count: Int, over total: Int) -> [Int] {
        let count = min(count, total)
        return (0..<count).map { (2 * $0 + 1) * total / (2 * count) }
    }

    /// Image i at timestep t has a noise of its own, so the numbers do not depend on `batchSize`.
    ///
    /// - Parameters:
    ///   - dense: one model.
    ///   - pruned: the other.
    ///   - objective: noise schedule and target of both.
    ///   - clean: x₀ `[N, H, W, C]` in [−1, 1].
    ///   - classes: one an image for conditional models.
    ///   - timesteps: each in 0 ..< T.
    ///   - seed: what the noise follows from.
    ///   - batchSize: images that go through a model together; changes no number.
    ///   - progress: told of the predictions made, and of how many there are.
    /// - Throws: `MetricError.notFinite` where a prediction is not, `ModelInputError` where a model is undefined at a
    ///   timestep.
    public init<Model: Denoiser>(
        dense: Model, pruned: Model, objective: DenoisingObjective, clean: Tensor, classes: [Float]?, timesteps: [Int],
        seed: UInt64, batchSize: Int, progress: (Int, Int) -> Void = { _, _ in }
    ) throws {
        for model in [dense, pruned] { try model.check(timesteps: timesteps) }
        let count = clean.shape[0]
        var result: [AtTimestep] = []
        var sums = [Double](repeating: 0, count: count)
        for (number, timestep) in timesteps.enumerated() {
            let scale = Self.epsilonScale(objective, at: timestep)
            var (difference, denseLoss, prunedLoss) = ([Double](), [Double](), [Double]())
            for start in stride(from: 0, to: count, by: batchSize) {
                let range = start..<min(start + batchSize, count)
                let noise = Self.noise(like: clean, range, seed: seed, streams: count, part: number)
                let batch = DenoisingBatch(
                    clean: clean.rows(range), noise: noise, timesteps: Array(repeating: timestep, count: range.count),
                    classLabels: classes.map { .numbers(Array($0[range])) })
                let noised = objective.noised(batch)
                func prediction(_ model: Model) -> Tensor {
                    Autograd.withoutRecording { objective.prediction(of: model, at: noised, batch).value }
                }
                let (a, b, target) = (prediction(dense), prediction(pruned), objective.target(batch))
                difference += Self.meanSquares(a, b).map { $0 * scale }
                denseLoss += Self.meanSquares(a, target)
                prunedLoss += Self.meanSquares(b, target)
            }
            for (image, value) in difference.enumerated() { sums[image] += value }
            result.append(
                AtTimestep(
                    timestep: timestep, difference: try SampleStatistics(difference, within: Self.range),
                    denseLoss: try SampleStatistics(denseLoss, within: Self.range),
                    prunedLoss: try SampleStatistics(prunedLoss, within: Self.range)))
            progress(number + 1, timesteps.count)
        }
        self.timesteps = result
        byImage = sums.map { $0 / Double(timesteps.count) }
    }

    /// Of mean squares.
    private static let range = 0...Double.infinity

    /// What a squared difference of predictions is multiplied by to be one of ε: with x_t = a·x₀ + b·ε fixed,
    /// δε = a·δv = (a/b)·δx₀.
    package static func epsilonScale(_ objective: DenoisingObjective, at timestep: Int) -> Double {
        let signal = objective.schedule.signalCoefficient(at: timestep)
        let noise = objective.schedule.noiseCoefficient(at: timestep)
        return switch objective.predictionType {
        case .epsilon: 1
        case .velocity: signal * signal
        case .sample: (signal / noise) * (signal / noise)
        }
    }

    private static func noise(like clean: Tensor, _ range: Range<Int>, seed: UInt64, streams: Int, part: Int) -> Tensor
    {
        let shape = clean.shape
        let size = shape[1] * shape[2] * shape[3]
        let noise = Tensor(uninitialized: [range.count] + shape.dropFirst())
        for (slot, image) in range.enumerated() {
            var stream = RandomStream(seed: seed, purpose: "evaluation-noise", index: UInt64(part * streams + image))
            stream.fillNormal(UnsafeMutableBufferPointer(start: noise.pointer + slot * size, count: size))
        }
        return noise
    }

    /// One mean an image.
    private static func meanSquares(_ first: Tensor, _ second: Tensor) -> [Double] {
        let count = first.shape[0]
        let size = first.count / count
        return (0..<count).map { image in
            var sum = 0.0
            for index in (image * size)..<((image + 1) * size) {
                let difference = Double(first.pointer[index]) - Double(second.pointer[index])
                sum += difference * difference
            }
            return sum / Double(size)
        }
    }
}
