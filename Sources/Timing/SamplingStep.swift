import Diffusion
import Models
import TensorCore

/// One step of sampling a batch, for measuring: the model's prediction and the sampler's update.
public struct SamplingStep<Model: Denoiser>: TimedStep {
    private let model: Model
    private let frozen: Frozen<Model>
    private let sampler: any Sampler
    private let start: Tensor
    private let sample: Tensor
    private let noise: Tensor
    private let timesteps: [Float]
    private let labels: ClassLabels?

    /// - Throws: what the model says to a batch it cannot take.
    public init(model: Model, sampler: any Sampler, batch: Int, classes: ImageClasses? = nil) throws {
        self.model = model
        frozen = Frozen(model)
        self.sampler = sampler
        start = Tensor(uninitialized: [batch] + model.imageShape)
        var stream = RandomStream(seed: 0, purpose: .initialNoise)
        stream.fillNormal(start.unsafeBuffer)
        sample = start.copied()
        noise = start.copied()
        labels = classes.map { .numbers((0..<batch).map($0.label)) }
        timesteps = Array(repeating: Float(sampler.timesteps[0]), count: batch)
        try model.check(sampleShape: start.shape, timesteps: timesteps, classLabels: labels)
    }

    public func callAsFunction() throws {
        sample.assign(start)
        let batch = start.shape[0]
        let prediction = try Prediction(
            frozen.prediction(at: sample, timesteps: timesteps, classLabels: labels), channels: start.shape[3])
        try sampler.step(
            SamplerBuffers(
                prediction: UnsafeBufferPointer(prediction.image.unsafeBuffer), sample: sample.unsafeBuffer,
                noise: UnsafeBufferPointer(noise.unsafeBuffer),
                variance: prediction.variance.map { UnsafeBufferPointer($0.unsafeBuffer) }),
            stepIndex: 0, elementsPerImage: start.count / batch)
    }

    public func peakBytes() throws -> Int {
        try BufferPool.shared.peakGrowth { try self() }
            + (model.parameterCount + start.count) * MemoryLayout<Float>.size
    }
}
