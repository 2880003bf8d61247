import Datasets
import Diffusion
import Evaluation
import Imagery
import Models
import TensorCore

/// What a dense model predicts and draws, for narrowed ones to be held against: the same noised images, the same noise.
struct PredictionReference {
    /// One timestep's noised images, some at a time.
    private struct Part {
        let batch: DenoisingBatch
        let noised: Tensor
        let prediction: Tensor
    }

    let timesteps: [Int]
    private let objective: DenoisingObjective
    private let parts: [[Part]]
    private let plan: SensitivityPlan
    private let sampler: any Sampler
    private let classes: ImageClasses?
    private let pictures: [Image]

    /// - Parameters:
    ///   - model: the dense one.
    ///   - scheduler: its noise schedule.
    ///   - data: where images are taken from.
    ///   - plan: how many, and at which timesteps.
    init(_ model: UNet, _ scheduler: SchedulerConfiguration, _ data: InMemoryDataset, _ plan: SensitivityPlan) throws {
        self.plan = plan
        objective = try DenoisingObjective(scheduler)
        timesteps = NoisePredictionErrors.spread(plan.timesteps, over: objective.schedule.trainTimesteps)
        try model.check(timesteps: timesteps)
        sampler = try SamplerName.ddim.makeSampler(scheduler, steps: plan.steps, eta: 0)
        let classes = try ClassChoice.resolved(nil, for: model.classConditioning)
        self.classes = classes
        let seed = UInt64(plan.seed)
        var stream = RandomStream(seed: seed, purpose: "sensitivity-images")
        let chosen = Array(stream.permutation(count: data.count).prefix(plan.images))
        let clean = Tensor(uninitialized: [chosen.count, data.height, data.width, data.channels])
        let size = data.height * data.width * data.channels
        for (slot, index) in chosen.enumerated() { data.read(index, into: clean.pointer + slot * size) }
        let known = data.labelCount == nil ? nil : chosen.compactMap(data.label)
        let labels = classes.map { drawn in
            chosen.indices.map { slot in known.map { Float($0[slot]) } ?? drawn.label(of: slot) }
        }
        let (objective, timesteps) = (objective, timesteps)
        parts = timesteps.enumerated().map { number, timestep in
            stride(from: 0, to: chosen.count, by: plan.batchSize).map { start in
                let range = start..<min(start + plan.batchSize, chosen.count)
                let noise = Tensor(uninitialized: [range.count] + clean.shape.dropFirst())
                for (slot, image) in range.enumerated() {
                    var stream = RandomStream(
                        seed: seed, purpose: "sensitivity-noise", index: UInt64(number * chosen.count + image))
                    stream.fillNormal(UnsafeMutableBufferPointer(start: noise.pointer + slot * size, count: size))
                }
                let batch = DenoisingBatch(
                    clean: clean.rows(range), noise: noise, timesteps: Array(repeating: timestep, count: range.count),
                    classLabels: labels.map { .numbers(Array($0[range])) })
                let noised = objective.noised(batch)
                let prediction = Autograd.withoutRecording { objective.prediction(of: model, at: noised, batch).value }
                return Part(batch: batch, noised: noised, prediction: prediction)
            }
        }
        pictures =
            plan.pictures == 0
            ? [] : try Self.pictures(of: model, sampler, classes, plan).images()
    }

    private static func pictures(
        of model: UNet, _ sampler: any Sampler, _ classes: ImageClasses?, _ plan: SensitivityPlan
    ) throws -> Tensor {
        try ImageSampler(
            model: model, sampler: sampler, seed: UInt64(plan.seed), classes: classes, batchSize: plan.batchSize
        ).images(0..<plan.pictures)
    }

    /// How far a narrowed model is from the dense one.
    ///
    /// - Parameters:
    ///   - model: the narrowed one.
    ///   - probe: what of it is.
    /// - Throws: `MetricError.notFinite` where it predicts what is no number, `SamplerError.notFinite` where it draws
    ///   so.
    func reading(of model: UNet, _ probe: SensitivityProbe) throws -> SensitivityReading {
        let errors = try zip(timesteps, parts).map { timestep, parts in
            var (sum, count) = (0.0, 0)
            for part in parts {
                let other = Autograd.withoutRecording {
                    objective.prediction(of: model, at: part.noised, part.batch).value
                }
                for index in 0..<other.count {
                    let difference = Double(other.pointer[index]) - Double(part.prediction.pointer[index])
                    sum += difference * difference
                }
                count += other.count
            }
            guard sum.isFinite else {
                throw MetricError.notFinite(what: "a prediction at timestep \(timestep)", index: 0)
            }
            return NoisePredictionErrors.epsilonScale(objective, at: timestep) * sum / Double(count)
        }
        var ssim: Double?
        if !pictures.isEmpty {
            let drawn = try Self.pictures(of: model, sampler, classes, plan).images()
            let values = try ImageConsistency(pictures, drawn).ssim.compactMap(\.self)
            ssim = values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
        }
        return SensitivityReading(
            kind: probe.kind, name: probe.name, ratio: probe.ratio, epsilonByTimestep: errors, ssim: ssim)
    }
}
