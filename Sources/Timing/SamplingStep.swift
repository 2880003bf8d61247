import Diffusion
import Models
import TensorCore

/// One step of sampling a batch, for measuring: the model's prediction and the sampler's update.
public struct SamplingStep {
    private let model: UNet
    private let frozen: FrozenUNet
    private let sampler: any Sampler
    private let start: Tensor
    private let sample: Tensor
    private let noise: Tensor
    private let timesteps: [Float]
    private let labels: ClassLabels?

    /// - Throws: what the model says to a batch it cannot take.
    public init(model: UNet, sampler: any Sampler, batch: Int, classLabel: Float? = nil) throws {
        self.model = model
        frozen = FrozenUNet(model)
        self.sampler = sampler
        start = Tensor(uninitialized: [batch] + model.size + [model.configuration.inChannels])
        var stream = RandomStream(seed: 0, purpose: .initialNoise)
        stream.fillNormal(start.unsafeBuffer)
        sample = start.copied()
        noise = start.copied()
        labels = classLabel.map { .numbers(Array(repeating: $0, count: batch)) }
        timesteps = Array(repeating: Float(sampler.timesteps[0]), count: batch)
        try model.check(sampleShape: start.shape, timesteps: timesteps, classLabels: labels)
    }

    public func callAsFunction() throws {
        sample.assign(start)
        let batch = start.shape[0]
        let output = Variable(frozen.prediction(at: sample, timesteps: timesteps, classLabels: labels))
        let channels = start.shape[3]
        let hasVariance = output.shape[3] == 2 * channels
        let prediction = hasVariance ? output.channels(0..<channels).value : output.value
        let variance = hasVariance ? output.channels(channels..<(2 * channels)).value : nil
        try sampler.step(
            SamplerBuffers(
                prediction: UnsafeBufferPointer(prediction.unsafeBuffer), sample: sample.unsafeBuffer,
                noise: UnsafeBufferPointer(noise.unsafeBuffer),
                variance: variance.map { UnsafeBufferPointer($0.unsafeBuffer) }),
            stepIndex: 0, elementsPerImage: start.count / batch)
    }

    /// Bytes of the model's weights and of the most buffers in use at one time during a step, the batch itself included.
    public func peakBytes() throws -> Int {
        try BufferPool.shared.peakGrowth { try self() }
            + (model.parameterCount + start.count) * MemoryLayout<Float>.size
    }
}
