/// Implicit sampling: x_prev = √ᾱ_prev·x₀ + √(1−ᾱ_prev−σ²)·ε + σ·noise, σ = η·√β̃; deterministic at η = 0.
///
/// Based on: Song, Meng, Ermon, "Denoising diffusion implicit models", 2020, formulas (12) and (16). Follows diffusers
/// 0.42.1's DDIMScheduler: the previous timestep is t − T // n, whatever the spacing, and ε is the network's even after
/// x₀ was clipped unless `usesClippedModelOutput`. With `quad` spacing, which diffusers lacks, it is the next timestep
/// of the list, as in the authors' code.
public struct DDIMSampler: Sampler {
    public let timesteps: [Int]
    /// A network's variance half is of no use here.
    public let needsVariancePrediction = false
    private let addsNoise: Bool
    private let rederivesNoise: Bool
    private let steps: [Step]

    private struct Step: Sendable {
        let estimate: CleanEstimate
        let estimateWeight: Float
        let noiseWeight: Float
        let deviation: Float
    }

    /// - Parameters:
    ///   - configuration: the scheduler's.
    ///   - steps: n, 1 … T.
    ///   - spacing: in place of the configuration's.
    ///   - eta: η, 0 (deterministic) … 1 (as random as DDPM with its small variance).
    ///   - usesClippedModelOutput: derive ε anew from the clipped x₀.
    /// - Throws: `SchedulerError`; `SamplerError.eta`; `SamplerError.noSignal` where a step would divide by zero.
    public init(
        _ configuration: SchedulerConfiguration, steps: Int, spacing: TimestepSpacing? = nil, eta: Double = 0,
        usesClippedModelOutput: Bool = false
    ) throws {
        guard (0...1).contains(eta) else { throw SamplerError.eta(got: eta) }
        let schedule = try NoiseSchedule(configuration)
        let spacing = spacing ?? configuration.timestepSpacing
        let timesteps = try spacing.timesteps(
            count: steps, trainTimesteps: configuration.trainTimesteps, offset: configuration.stepsOffset)
        self.timesteps = timesteps
        addsNoise = eta > 0
        rederivesNoise = usesClippedModelOutput
        let stride = configuration.trainTimesteps / steps
        let finalAlphaBar = configuration.setAlphaToOne ? 1 : schedule.alphasCumprod[0]
        self.steps = try timesteps.indices.map { index in
            let timestep = timesteps[index]
            let next = index + 1 < timesteps.count ? timesteps[index + 1] : -1
            let previous = spacing == .quadratic ? next : timestep - stride
            let previousAlphaBar = previous >= 0 ? schedule.alphasCumprod[previous] : finalAlphaBar
            guard previousAlphaBar > 0 else {
                throw SamplerError.noSignal(
                    timestep: max(previous, 0), reason: "no step can lead to it but from itself")
            }
            let alphaBar = schedule.alphasCumprod[timestep]
            // Rounded where diffusers rounds: at small t, 1 − α keeps only the last few bits of α.
            let beta = 1 - Double(Float(alphaBar / previousAlphaBar))
            let deviation = eta * ((1 - previousAlphaBar) / (1 - alphaBar) * beta).squareRoot()
            return Step(
                estimate: try CleanEstimate(configuration, schedule, timestep: timestep),
                estimateWeight: Float(previousAlphaBar.squareRoot()),
                noiseWeight: Float(max(1 - previousAlphaBar - deviation * deviation, 0).squareRoot()),
                deviation: Float(deviation))
        }
    }

    public func drawsNoise(at stepIndex: Int) -> Bool { addsNoise }

    public func step(_ buffers: SamplerBuffers, stepIndex: Int, elementsPerImage: Int) throws {
        try check(buffers, stepIndex: stepIndex, elementsPerImage: elementsPerImage)
        let step = steps[stepIndex]
        let noise = addsNoise ? buffers.noise : nil
        withUnsafeTemporaryAllocation(of: Float.self, capacity: elementsPerImage) { estimate in
            estimate.initialize(repeating: 0)
            for start in stride(from: 0, to: buffers.sample.count, by: elementsPerImage) {
                let image = start..<start + elementsPerImage
                step.estimate.compute(
                    prediction: buffers.prediction[image], sample: buffers.sample[image], into: estimate)
                for (element, clean) in zip(image, estimate) {
                    let prediction = buffers.prediction[element]
                    // A sample network's ε comes from its x₀ before clipping, as every ε does unless re-derived.
                    let epsilon = step.estimate.epsilon(
                        prediction: prediction, sample: buffers.sample[element],
                        estimate: rederivesNoise ? clean : prediction, rederived: rederivesNoise)
                    var previous = step.estimateWeight * clean + step.noiseWeight * epsilon
                    if let noise {
                        previous += step.deviation * noise[element]
                    }
                    buffers.sample[element] = previous
                    buffers.estimate?[element] = clean
                }
            }
        }
    }
}
