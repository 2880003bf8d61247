/// Walks from noise to samples: one reverse step after another, each from a network's prediction.
///
/// ```swift
/// for (stepIndex, timestep) in sampler.timesteps.enumerated() {
///     // network(sample, timestep) → prediction; noise from the caller's stream if sampler.drawsNoise(at: stepIndex)
///     try sampler.step(buffers, stepIndex: stepIndex, elementsPerImage: elementsPerImage)
/// }
/// ```
/// A sampler has no state: steps of different images may be taken in any order and from any thread, and an image's
/// result has the same bits whatever other images share its buffers.
public protocol Sampler: Sendable {
    /// The network's timestep at each step, in sampling order.
    var timesteps: [Int] { get }

    /// Whether `SamplerBuffers.variance` has to be given.
    var needsVariancePrediction: Bool { get }

    /// Whether the step adds noise, so that `SamplerBuffers.noise` has to be given.
    func drawsNoise(at stepIndex: Int) -> Bool

    /// Replaces x_t in `buffers.sample` by x at the previous timestep.
    ///
    /// - Throws: `SamplerError`, with nothing written, for a step the list lacks and for missing or unequal buffers.
    func step(_ buffers: SamplerBuffers, stepIndex: Int, elementsPerImage: Int) throws
}

/// The numbers one step reads and writes: whole images one after the other, all buffers in the same layout.
public struct SamplerBuffers {
    /// The network's output for `sample`; what it stands for is the configuration's prediction type.
    public var prediction: UnsafeBufferPointer<Float>
    /// x_t before the step, x at the previous timestep after it.
    public var sample: UnsafeMutableBufferPointer<Float>
    /// Standard normal draws. Not read at steps that draw no noise.
    public var noise: UnsafeBufferPointer<Float>?
    /// The network's second half of channels. Not read unless the sampler needs a variance prediction.
    public var variance: UnsafeBufferPointer<Float>?
    /// Receives the clipped or thresholded estimate of x₀, where one is wanted.
    public var estimate: UnsafeMutableBufferPointer<Float>?

    public init(
        prediction: UnsafeBufferPointer<Float>, sample: UnsafeMutableBufferPointer<Float>,
        noise: UnsafeBufferPointer<Float>? = nil, variance: UnsafeBufferPointer<Float>? = nil,
        estimate: UnsafeMutableBufferPointer<Float>? = nil
    ) {
        self.prediction = prediction
        self.sample = sample
        self.noise = noise
        self.variance = variance
        self.estimate = estimate
    }
}

extension Sampler {
    /// Throws where the buffers do not fit together or miss something the step needs.
    func check(_ buffers: SamplerBuffers, stepIndex: Int, elementsPerImage: Int) throws {
        guard timesteps.indices.contains(stepIndex) else {
            throw SamplerError.stepIndex(got: stepIndex, count: timesteps.count)
        }
        let count = buffers.sample.count
        guard elementsPerImage > 0, count % elementsPerImage == 0 else {
            throw SamplerError.elementCount(
                buffer: "sample", got: count, expected: "whole images of \(elementsPerImage)")
        }
        if drawsNoise(at: stepIndex), buffers.noise == nil {
            throw SamplerError.missing(buffer: "noise", stepIndex: stepIndex)
        }
        if needsVariancePrediction, buffers.variance == nil {
            throw SamplerError.missing(buffer: "a variance prediction", stepIndex: stepIndex)
        }
        let others = [
            ("prediction", buffers.prediction.count),
            ("noise", drawsNoise(at: stepIndex) ? buffers.noise?.count : nil),
            ("variance", needsVariancePrediction ? buffers.variance?.count : nil),
            ("estimate", buffers.estimate?.count),
        ]
        for case (let name, let got?) in others where got != count {
            throw SamplerError.elementCount(buffer: name, got: got, expected: "\(count), as the sample has")
        }
    }
}
