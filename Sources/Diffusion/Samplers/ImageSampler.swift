import Models
import TensorCore

/// Noise given from outside instead of drawn, for comparing with another framework. Channels last.
public struct GivenNoise {
    /// x_T, `[N, H, W, C]`.
    public let initial: Tensor
    /// What the sampler adds, `[N, H, W, C]` a step in sampling order; empty for samplers that add none.
    public let steps: [Tensor]

    public init(initial: Tensor, steps: [Tensor] = []) {
        self.initial = initial
        self.steps = steps
    }
}

/// Draws images with a model: image i depends on (model, seed, i, sampler, steps, its class) alone, not on the batch it
/// was drawn in nor on the number of threads.
public struct ImageSampler<Model: Denoiser> {
    /// Must not be trained while this draws.
    public let model: Model
    public let sampler: any Sampler
    public let seed: UInt64
    /// For a conditional model.
    public let classes: ImageClasses?
    /// Images that go through the model together.
    public let batchSize: Int
    private let frozen: Frozen<Model>

    public init(model: Model, sampler: any Sampler, seed: UInt64, classes: ImageClasses? = nil, batchSize: Int = 16) {
        self.model = model
        frozen = Frozen(model)
        self.sampler = sampler
        self.seed = seed
        self.classes = classes
        self.batchSize = max(1, batchSize)
    }

    private var imageCount: Int { model.imageShape.reduce(1, *) }

    /// Images `range`, `[N, H, W, C]` in about [−1, 1], before any rounding.
    ///
    /// - Parameters:
    ///   - range: numbers of the images: each follows from its own.
    ///   - noise: in place of what the seed gives.
    ///   - progress: called with the number of model evaluations done and to do.
    ///   - observer: shown every prediction before the step that is made with it.
    public func images(
        _ range: Range<Int>, noise: GivenNoise? = nil, progress: ((Int, Int) throws -> Void)? = nil,
        observer: StepObserver? = nil
    ) throws -> Tensor {
        let result = Tensor(uninitialized: [range.count] + model.imageShape)
        let batches = (range.count + batchSize - 1) / batchSize
        for batch in 0..<batches {
            let slots = (batch * batchSize)..<min((batch + 1) * batchSize, range.count)
            let numbers = (range.lowerBound + slots.lowerBound)..<(range.lowerBound + slots.upperBound)
            let sample = result.rows(slots)
            let shown = observer.map { show in { show(slots, $0, $1, $2) } }
            try draw(numbers, into: sample, noise: noise, observer: shown) { step in
                try progress?(batch * sampler.timesteps.count + step, batches * sampler.timesteps.count)
            }
        }
        return result
    }

    /// Is shown a step of some of the images that are drawn, by their places in the result: the number of the step, x_t
    /// `[B, H, W, C]` before it and the model's prediction there, variances left out. Both are overwritten later.
    public typealias StepObserver = (_ places: Range<Int>, _ step: Int, _ noisy: Tensor, _ prediction: Tensor) -> Void

    private func draw(
        _ numbers: Range<Int>, into sample: Tensor, noise: GivenNoise?,
        observer: ((_ step: Int, _ noisy: Tensor, _ prediction: Tensor) -> Void)?, progress: (Int) throws -> Void
    ) throws {
        fill(sample, numbers, .initialNoise, given: noise?.initial, position: 0)
        let labels = classes.map { ClassLabels.numbers(numbers.map($0.label)) }
        try model.check(timesteps: sampler.timesteps)
        let first = Float(sampler.timesteps.first ?? 0)
        try model.check(
            sampleShape: sample.shape, timesteps: Array(repeating: first, count: numbers.count), classLabels: labels)
        let stepNoise = Tensor(uninitialized: sample.shape)
        for (index, timestep) in sampler.timesteps.enumerated() {
            let output = frozen.prediction(
                at: sample, timesteps: Array(repeating: Float(timestep), count: numbers.count), classLabels: labels)
            // Clipping would turn what is broken here into a picture.
            guard output.allFinite else { throw SamplerError.notFinite(timestep: timestep) }
            let prediction = try Prediction(output, channels: model.imageShape[2])
            observer?(index, sample, prediction.image)
            if sampler.drawsNoise(at: index) {
                let given = noise.flatMap { $0.steps.isEmpty ? nil : $0.steps[index] }
                fill(stepNoise, numbers, .stepNoise, given: given, position: index)
            }
            try sampler.step(
                SamplerBuffers(
                    prediction: UnsafeBufferPointer(prediction.image.unsafeBuffer), sample: sample.unsafeBuffer,
                    noise: sampler.drawsNoise(at: index) ? UnsafeBufferPointer(stepNoise.unsafeBuffer) : nil,
                    variance: prediction.variance.map { UnsafeBufferPointer($0.unsafeBuffer) }), stepIndex: index,
                elementsPerImage: imageCount)
            try progress(index + 1)
        }
    }

    /// Each image has streams of its own; `position` counts the draws an image has made from its stream. The noise is
    /// laid out channels last, like the image.
    private func fill(_ tensor: Tensor, _ numbers: Range<Int>, _ purpose: RandomPurpose, given: Tensor?, position: Int)
    {
        Engine.parallel(numbers.count) { slot in
            let number = numbers.lowerBound + slot
            let place = UnsafeMutableBufferPointer(start: tensor.pointer + slot * imageCount, count: imageCount)
            if let given {
                place.baseAddress?.update(from: given.pointer + number * imageCount, count: imageCount)
            } else {
                var stream = RandomStream(
                    seed: seed, purpose: purpose, index: UInt64(number), position: UInt64(position * imageCount))
                stream.fillNormal(place)
            }
        }
    }
}
