/// Buffers hold one image after the other, `timesteps.count` of them, each of `elementsPerImage` numbers in any layout.
/// Every function throws `SchedulerError` for a timestep the schedule lacks and for buffers of the wrong length, before
/// anything is written. `output` may be one of the inputs.
extension NoiseSchedule {
    /// x_t = √ᾱ_t·x₀ + √(1−ᾱ_t)·ε, image by image at its own timestep.
    public func addNoise(
        clean: UnsafeBufferPointer<Float>, noise: UnsafeBufferPointer<Float>, timesteps: [Int],
        elementsPerImage: Int, into output: UnsafeMutableBufferPointer<Float>
    ) throws {
        try combine(
            ("clean", clean), ("noise", noise), timesteps: timesteps, elementsPerImage: elementsPerImage,
            into: output
        ) { (signalCoefficient(at: $0), noiseCoefficient(at: $0)) }
    }

    /// v = √ᾱ_t·ε − √(1−ᾱ_t)·x₀: what a `velocity` network learns.
    public func velocity(
        clean: UnsafeBufferPointer<Float>, noise: UnsafeBufferPointer<Float>, timesteps: [Int],
        elementsPerImage: Int, into output: UnsafeMutableBufferPointer<Float>
    ) throws {
        try combine(
            ("clean", clean), ("noise", noise), timesteps: timesteps, elementsPerImage: elementsPerImage,
            into: output
        ) { (-noiseCoefficient(at: $0), signalCoefficient(at: $0)) }
    }

    /// Turns a prediction of one kind, made from the noisy images x_t, into the equivalent one of another kind.
    ///
    /// - Throws: also `SchedulerError.undefinedConversion`, where the target would be divided by zero.
    public func convert(
        prediction: UnsafeBufferPointer<Float>, from: PredictionType, to target: PredictionType,
        noisy: UnsafeBufferPointer<Float>, timesteps: [Int], elementsPerImage: Int,
        into output: UnsafeMutableBufferPointer<Float>
    ) throws {
        try combine(
            ("prediction", prediction), ("noisy", noisy), timesteps: timesteps, elementsPerImage: elementsPerImage,
            into: output
        ) { try conversion(from: from, to: target, at: $0) }
    }

    /// The pair (a, b) for which target = a·prediction + b·x_t.
    private func conversion(
        from: PredictionType, to target: PredictionType, at timestep: Int
    ) throws -> (prediction: Double, noisy: Double) {
        let signal = signalCoefficient(at: timestep)
        let noise = noiseCoefficient(at: timestep)
        let pair: (prediction: Double, noisy: Double) =
            switch (from, target) {
            case (.epsilon, .epsilon), (.sample, .sample), (.velocity, .velocity): (1, 0)
            case (.epsilon, .sample): (-noise / signal, 1 / signal)
            case (.epsilon, .velocity): (1 / signal, -noise / signal)
            case (.sample, .epsilon): (-signal / noise, 1 / noise)
            case (.sample, .velocity): (-1 / noise, signal / noise)
            case (.velocity, .epsilon): (signal, noise)
            case (.velocity, .sample): (-noise, signal)
            }
        guard pair.prediction.isFinite, pair.noisy.isFinite else {
            throw SchedulerError.undefinedConversion(from: from, to: target, timestep: timestep)
        }
        return pair
    }

    /// output = a_t·first + b_t·second, (a_t, b_t) rounded to `Float` once an image.
    private func combine(
        _ first: (name: String, values: UnsafeBufferPointer<Float>),
        _ second: (name: String, values: UnsafeBufferPointer<Float>),
        timesteps: [Int], elementsPerImage: Int, into output: UnsafeMutableBufferPointer<Float>,
        coefficients: (Int) throws -> (Double, Double)
    ) throws {
        precondition(elementsPerImage > 0, "elementsPerImage must be positive, got \(elementsPerImage)")
        let expected = timesteps.count * elementsPerImage
        for (name, count) in [
            (first.name, first.values.count), (second.name, second.values.count), ("output", output.count),
        ] where count != expected {
            throw SchedulerError.elementCount(buffer: name, got: count, expected: expected)
        }
        let pairs = try timesteps.map { timestep in
            guard betas.indices.contains(timestep) else {
                throw SchedulerError.timestep(got: timestep, trainTimesteps: trainTimesteps)
            }
            return try coefficients(timestep)
        }
        for (image, pair) in pairs.enumerated() {
            let (firstWeight, secondWeight) = (Float(pair.0), Float(pair.1))
            for element in image * elementsPerImage..<(image + 1) * elementsPerImage {
                output[element] = firstWeight * first.values[element] + secondWeight * second.values[element]
            }
        }
    }
}
