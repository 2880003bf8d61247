/// The estimate of x₀ inside one step: from a prediction, then clipped or thresholded.
struct CleanEstimate: Sendable {
    private let predictionType: PredictionType
    private let limit: Limit
    /// √ᾱ_t and √(1−ᾱ_t).
    private let signal: Float
    private let noise: Float

    private enum Limit: Sendable {
        case none
        case clip(Float)
        case threshold(ratio: Float, maximum: Float)
    }

    /// - Throws: `SamplerError.noSignal` where x₀ would be divided by √ᾱ = 0.
    init(_ configuration: SchedulerConfiguration, _ schedule: NoiseSchedule, timestep: Int) throws {
        predictionType = configuration.predictionType
        signal = Float(schedule.signalCoefficient(at: timestep))
        noise = Float(schedule.noiseCoefficient(at: timestep))
        if predictionType == .epsilon, signal == 0 {
            throw SamplerError.noSignal(
                timestep: timestep, reason: "an epsilon prediction does not determine the sample there")
        }
        limit =
            if configuration.thresholding {
                .threshold(
                    ratio: Float(configuration.dynamicThresholdingRatio), maximum: Float(configuration.sampleMaxValue))
            } else if configuration.clipSample {
                .clip(Float(configuration.clipSampleRange))
            } else {
                .none
            }
    }

    /// Writes one image's x₀ to `estimate`. The operations and their order are diffusers', to the same rounding.
    func compute(
        prediction: UnsafeBufferPointer<Float>.SubSequence, sample: UnsafeMutableBufferPointer<Float>.SubSequence,
        into estimate: UnsafeMutableBufferPointer<Float>
    ) {
        let elements = zip(estimate.indices, zip(prediction, sample))
        switch predictionType {
        case .epsilon: for (index, (output, noisy)) in elements { estimate[index] = (noisy - noise * output) / signal }
        case .sample: for (index, (output, _)) in elements { estimate[index] = output }
        case .velocity: for (index, (output, noisy)) in elements { estimate[index] = signal * noisy - noise * output }
        }
        switch limit {
        case .none: break
        case .clip(let range): Self.clamp(estimate, to: range)
        case .threshold(let ratio, let maximum): Self.threshold(estimate, ratio: ratio, maximum: maximum)
        }
    }

    /// The noise that the prediction stands for, given an x₀ that it may not have been clipped from.
    func epsilon(prediction: Float, sample: Float, estimate: Float, rederived: Bool) -> Float {
        if rederived || predictionType == .sample { return (sample - signal * estimate) / noise }
        return predictionType == .epsilon ? prediction : signal * prediction + noise * sample
    }

    /// NaN stays NaN.
    private static func clamp(_ values: UnsafeMutableBufferPointer<Float>, to range: Float) {
        for index in values.indices {
            let value = values[index]
            values[index] = value < -range ? -range : value > range ? range : value
        }
    }

    /// Clips to s = the quantile of |x₀|, 1 ≤ s ≤ `maximum`, and divides by s.
    ///
    /// Based on: Saharia et al. (Imagen), 2022. The quantile interpolates between the two nearest order statistics.
    private static func threshold(_ values: UnsafeMutableBufferPointer<Float>, ratio: Float, maximum: Float) {
        // NaN has no place in an order, and a picture with one in it is lost anyway.
        if values.contains(where: \.isNaN) {
            values.update(repeating: .nan)
            return
        }
        let magnitudes = values.map { abs($0) }.sorted()
        let rank = ratio * Float(values.count - 1)
        // Float(count − 1) may round up when images are huge.
        let below = min(Int(rank), values.count - 1)
        let above = min(below + 1, values.count - 1)
        let quantile = magnitudes[below] + (rank - Float(below)) * (magnitudes[above] - magnitudes[below])
        let scale = min(max(quantile, 1), maximum)
        clamp(values, to: scale)
        for index in values.indices { values[index] /= scale }
    }
}
