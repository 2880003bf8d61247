import Foundation

/// Ancestral sampling: x_prev ~ N(a·x₀ + b·x_t, σ²), the posterior of the forward process.
///
/// Based on: Ho, Jain, Abbeel, "Denoising diffusion probabilistic models", 2020, formula (7); variances of Nichol &
/// Dhariwal 2021. Follows diffusers 0.42.1's DDPMScheduler: the previous timestep is the next of the list (after the
/// last, ᾱ = 1), and noise is added at every timestep above 0.
public struct DDPMSampler: Sampler {
    public let timesteps: [Int]
    public let needsVariancePrediction: Bool
    private let steps: [Step]

    private struct Step: Sendable {
        let estimate: CleanEstimate
        let estimateWeight: Float
        let sampleWeight: Float
        let deviation: Deviation
    }

    /// σ of the noise added.
    private enum Deviation: Sendable {
        case none
        case fixed(Float)
        /// √ of the network's output.
        case learned
        /// exp(½·(f·high + (1−f)·low)), f = (output + 1)/2.
        case range(low: Double, high: Double)
    }

    /// - Parameters:
    ///   - configuration: the scheduler's.
    ///   - steps: 1 … T.
    ///   - spacing: in place of the configuration's.
    /// - Throws: `SchedulerError`; `SamplerError.noSignal` where a step would divide by zero.
    public init(_ configuration: SchedulerConfiguration, steps: Int, spacing: TimestepSpacing? = nil) throws {
        let schedule = try NoiseSchedule(configuration)
        let timesteps = try (spacing ?? configuration.timestepSpacing).timesteps(
            count: steps, trainTimesteps: configuration.trainTimesteps, offset: configuration.stepsOffset)
        self.timesteps = timesteps
        needsVariancePrediction = configuration.varianceType.isLearned
        self.steps = try timesteps.indices.map { index in
            let previous = index + 1 < timesteps.count ? timesteps[index + 1] : nil
            return try Self.step(configuration, schedule, from: timesteps[index], to: previous)
        }
    }

    public func drawsNoise(at stepIndex: Int) -> Bool { timesteps[stepIndex] > 0 }

    public func step(_ buffers: SamplerBuffers, stepIndex: Int, elementsPerImage: Int) throws {
        try check(buffers, stepIndex: stepIndex, elementsPerImage: elementsPerImage)
        let step = steps[stepIndex]
        withUnsafeTemporaryAllocation(of: Float.self, capacity: elementsPerImage) { estimate in
            estimate.initialize(repeating: 0)
            for start in stride(from: 0, to: buffers.sample.count, by: elementsPerImage) {
                let image = start..<start + elementsPerImage
                step.estimate.compute(
                    prediction: buffers.prediction[image], sample: buffers.sample[image], into: estimate)
                for (element, clean) in zip(image, estimate) {
                    buffers.sample[element] =
                        step.estimateWeight * clean + step.sampleWeight * buffers.sample[element]
                    buffers.estimate?[element] = clean
                }
                addNoise(step.deviation, image, buffers)
            }
        }
    }

    private func addNoise(_ deviation: Deviation, _ image: Range<Int>, _ buffers: SamplerBuffers) {
        guard let noise = buffers.noise else { return }
        switch deviation {
        case .none:
            break
        case .fixed(let deviation):
            for element in image { buffers.sample[element] += deviation * noise[element] }
        case .learned:
            guard let variance = buffers.variance else { return }
            for element in image {
                buffers.sample[element] += max(variance[element], 0).squareRoot() * noise[element]
            }
        case .range(let low, let high):
            guard let variance = buffers.variance else { return }
            for element in image {
                let fraction = (Double(variance[element]) + 1) / 2
                let deviation = Float(exp(0.5 * (fraction * high + (1 - fraction) * low)))
                buffers.sample[element] += deviation * noise[element]
            }
        }
    }

    private static func step(
        _ configuration: SchedulerConfiguration, _ schedule: NoiseSchedule, from timestep: Int, to previous: Int?
    ) throws -> Step {
        let alphaBar = schedule.alphasCumprod[timestep]
        let previousAlphaBar = previous.map { schedule.alphasCumprod[$0] } ?? 1
        guard previousAlphaBar > 0 else {
            throw SamplerError.noSignal(timestep: previous ?? 0, reason: "no step can lead to it but from itself")
        }
        // Rounded where diffusers rounds: at small t, 1 − α keeps only the last few bits of α, and differs by 1e-4.
        let alpha = Double(Float(alphaBar / previousAlphaBar))
        let beta = 1 - alpha
        let noisePart = 1 - alphaBar
        let previousNoisePart = 1 - previousAlphaBar
        // Not zero, as logarithms are taken.
        let small = max(previousNoisePart / noisePart * beta, 1e-20)

        let deviation: Deviation =
            if timestep == 0 {
                .none
            } else {
                switch configuration.varianceType {
                case .fixedSmall, .fixedSmallLog: .fixed(Float(small.squareRoot()))
                case .fixedLarge, .fixedLargeLog: .fixed(Float(beta.squareRoot()))
                case .learned: .learned
                case .learnedRange: .range(low: log(small), high: log(max(beta, 1e-20)))
                }
            }
        return Step(
            estimate: try CleanEstimate(configuration, schedule, timestep: timestep),
            estimateWeight: Float(previousAlphaBar.squareRoot() * beta / noisePart),
            sampleWeight: Float(alpha.squareRoot() * previousNoisePart / noisePart),
            deviation: deviation)
    }
}
