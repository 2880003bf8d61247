import Files

/// Why a call does not fit a model.
public enum ModelInputError: Error, CustomStringConvertible {
    case mismatch(what: String, got: String, expected: String)

    public var description: String {
        switch self {
        case .mismatch(let what, let got, let expected): "\(what) is \(got), expected \(expected)"
        }
    }
}

struct InputCheck {
    let model: UNet

    /// - Parameter sampleShape: `[B, H, W, C]`.
    func check(sampleShape shape: [Int], timesteps: [Float], classLabels: ClassLabels?) throws {
        let configuration = model.configuration
        let divisor = configuration.sizeDivisor
        guard shape.count == 4, shape.allSatisfy({ $0 > 0 }), shape[3] == configuration.inChannels else {
            throw ModelInputError.mismatch(
                what: "the sample's shape (batch, height, width, channels)", got: "\(shape)",
                expected: "4 dimensions with \(configuration.inChannels) channels")
        }
        guard shape[1] % divisor == 0, shape[2] % divisor == 0 else {
            throw ModelInputError.mismatch(
                what: "the image size", got: "\(shape[1])×\(shape[2])",
                expected: "multiples of \(divisor) for \(configuration.blockOutChannels.count) levels")
        }
        guard timesteps.count == shape[0] else {
            throw ModelInputError.mismatch(
                what: "the number of timesteps", got: "\(timesteps.count)", expected: "\(shape[0]), one an image")
        }
        try check(timesteps)
        try check(classLabels, batch: shape[0])
    }

    /// Timesteps that the model is defined at.
    func check(_ timesteps: [Float]) throws {
        let domain = model.timeProjection.domain
        guard let bad = timesteps.first(where: { !domain.contains($0) }) else { return }
        throw ModelInputError.mismatch(what: "a timestep", got: bad.plain, expected: "\(domain)")
    }

    private func check(_ labels: ClassLabels?, batch: Int) throws {
        func fail(_ got: String, _ expected: String) -> ModelInputError {
            .mismatch(what: "class labels", got: got, expected: expected)
        }
        switch (model.classEmbedding.kind, labels) {
        case (.none, nil):
            return
        case (.none, _):
            throw fail("given", "none: the model is unconditional")
        case (_, nil):
            throw fail("missing", "one an image: the model is class-conditional")
        case (.table(let table), .numbers(let numbers)):
            try check(numbers, batch: batch, .wholeNumbers(below: table.count))
        case (.timestep, .numbers(let numbers)):
            // They go through the model's own time projection.
            try check(numbers, batch: batch, model.timeProjection.domain)
        case (.identity, .vectors(let vectors)):
            guard vectors.shape == [batch, model.configuration.timeWidth] else {
                throw fail("of shape \(vectors.shape)", "[\(batch), \(model.configuration.timeWidth)]")
            }
        case (.identity, .numbers):
            throw fail("numbers", "vectors [\(batch), \(model.configuration.timeWidth)]")
        case (_, .vectors):
            throw fail("vectors", "one number an image")
        }
    }

    private func check(_ numbers: [Float], batch: Int, _ domain: TimeDomain) throws {
        guard numbers.count == batch else {
            throw ModelInputError.mismatch(
                what: "class labels", got: "\(numbers.count) numbers", expected: "\(batch), one an image")
        }
        guard let bad = numbers.first(where: { !domain.contains($0) }) else { return }
        throw ModelInputError.mismatch(what: "a class label", got: bad.plain, expected: "\(domain)")
    }
}
