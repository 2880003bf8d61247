import Files
import Imagery
import Models
import TensorCore

/// Draws what another model is to learn from: pictures, and the ways to them, by deterministic DDIM steps.
///
/// Pictures are numbered from `firstNumber` on, behind all that `sample` and `evaluate` ever draw under the same seed,
/// so that no picture that a model is judged on was among those that it learned from.
struct TeacherDrawing<Model: Denoiser> {
    let model: Model
    let scheduler: SchedulerConfiguration
    let kind: GenerationConfiguration.Kind
    /// Of DDIM.
    let steps: Int
    let seed: UInt64
    /// All in turn; nil for an unconditional model.
    let classes: ImageClasses?

    /// The number of the first picture of lot 0.
    static var firstNumber: Int { 1_000_000 }
    /// Pictures that go through the model together; they do not depend on it.
    static var batchSize: Int { 16 }

    /// - Throws: `SettingError` for a model whose pictures are none, or whose classes are not counted; `SamplerError`,
    ///   `SchedulerError` for steps that the schedule does not have.
    init(
        _ model: Model, _ scheduler: SchedulerConfiguration, as kind: GenerationConfiguration.Kind, steps: Int,
        seed: UInt64
    ) throws {
        func refuse(_ reason: String) -> SettingError {
            SettingError(
                key: "recovery.generated", got: "'\(kind.rawValue)'", expected: "none with this model: \(reason)")
        }
        let channels = model.imageShape[2]
        guard [1, 3, 4].contains(channels) else {
            throw refuse("its images have \(channels) channels, pictures have 1, 3 or 4")
        }
        switch model.classConditioning {
        case .none: classes = nil
        case .numbers(let count?): classes = .all(count: count)
        case .numbers(nil): throw refuse("it takes any number for a class, so that it is not known which there are")
        case .vectors: throw refuse("its classes are vectors, not numbers")
        }
        (self.model, self.scheduler, self.kind, self.steps, self.seed) = (model, scheduler, kind, steps, seed)
        do {
            _ = try sampler(group: nil)
        } catch SchedulerError.stepCount(let got, let trainTimesteps) {
            throw SettingError(
                key: "recovery.generated_steps", got: got,
                expected: "1...\(trainTimesteps), as the model has \(trainTimesteps) timesteps")
        }
    }

    /// Predictions of a batch that `count` pictures take.
    func pieces(_ count: Int) -> Int { (count + Self.batchSize - 1) / Self.batchSize * steps }

    private func numbers(_ lot: Int, _ count: Int) -> Range<Int> {
        Self.firstNumber + lot * count..<Self.firstNumber + (lot + 1) * count
    }

    /// Pictures as `sample` draws them with `--sampler ddim` and so many steps, 8 bits a sample.
    ///
    /// - Parameters:
    ///   - lot: from 0.
    ///   - count: pictures of each lot.
    ///   - progress: called after every prediction of a batch with how many are done.
    func pictures(lot: Int, count: Int, progress: (Int) throws -> Void) throws -> InMemoryDataset {
        let numbers = numbers(lot, count)
        let sampler = try imageSampler(group: nil)
        let images = try withoutActuallyEscaping(progress) { progress in
            try sampler.images(numbers) { done, _ in try progress(done) }
        }
        return try dataset(images, numbers)
    }

    /// Trajectories, and the pictures that they lead to.
    ///
    /// Their timesteps are evenly spaced, as DDIM's with `leading` spacing, and begin at an offset that differs from
    /// batch to batch, so that all trajectories together meet timesteps everywhere between.
    ///
    /// - Parameters:
    ///   - lot: from 0.
    ///   - count: trajectories of each lot.
    ///   - progress: called after every prediction of a batch with how many are done.
    func trajectories(
        lot: Int, count: Int, progress: (Int) throws -> Void
    ) throws -> (trajectories: Trajectories, pictures: InMemoryDataset) {
        let numbers = numbers(lot, count)
        let shape = [steps * count] + model.imageShape
        let (noisy, predictions) = (Tensor(uninitialized: shape), Tensor(uninitialized: shape))
        var timesteps = Array(repeating: 0, count: steps * count)
        let images = Tensor(uninitialized: [count] + model.imageShape)
        let batches = (count + Self.batchSize - 1) / Self.batchSize
        for batch in 0..<batches {
            let places = batch * Self.batchSize..<min((batch + 1) * Self.batchSize, count)
            let sampler = try imageSampler(group: lot * batches + batch)
            let drawn = try withoutActuallyEscaping(progress) { progress in
                try sampler.images(
                    numbers.lowerBound + places.lowerBound..<numbers.lowerBound + places.upperBound,
                    progress: { step, _ in try progress(batch * steps + step) },
                    observer: { _, step, sample, prediction in
                        let rows = step * count + places.lowerBound..<step * count + places.upperBound
                        noisy.rows(rows).assign(sample)
                        predictions.rows(rows).assign(prediction)
                        for row in rows { timesteps[row] = sampler.sampler.timesteps[step] }
                    })
            }
            images.rows(places).assign(drawn)
        }
        return (
            Trajectories(
                noisy: noisy, predictions: predictions, timesteps: timesteps,
                classes: classes.map { classes in numbers.map(classes.label) }, chains: count),
            try dataset(images, numbers)
        )
    }

    private func imageSampler(group: Int?) throws -> ImageSampler<Model> {
        ImageSampler(
            model: model, sampler: try sampler(group: group), seed: seed, classes: classes, batchSize: Self.batchSize)
    }

    /// - Parameter group: a batch of trajectories; nil for the scheduler's own spacing.
    private func sampler(group: Int?) throws -> DDIMSampler {
        guard let group else { return try DDIMSampler(scheduler, steps: steps) }
        var shifted = scheduler
        shifted.stepsOffset = Int(Double(scheduler.trainTimesteps / steps) * Self.fraction(group))
        return try DDIMSampler(shifted, steps: steps, spacing: .leading)
    }

    /// Van der Corput's sequence, 0, 1/2, 1/4, 3/4, 1/8, …: any first terms are spread evenly over [0, 1).
    static func fraction(_ number: Int) -> Double {
        var (rest, digit, sum) = (number, 0.5, 0.0)
        while rest > 0 {
            if rest & 1 == 1 { sum += digit }
            (rest, digit) = (rest >> 1, digit / 2)
        }
        return sum
    }

    private func dataset(_ images: Tensor, _ numbers: Range<Int>) throws -> InMemoryDataset {
        var (labels, labelCount): ([Int]?, Int?)
        if case .all(let count)? = classes {
            labels = numbers.map { $0 % count }
            labelCount = count
        }
        return try InMemoryDataset(
            signedUnit: images.unsafeBuffer, height: images.shape[1], width: images.shape[2],
            channels: images.shape[3], labels: labels, labelCount: labelCount)
    }
}
