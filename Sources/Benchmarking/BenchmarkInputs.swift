import Diffusion
import ModelFolders
import Models
import TensorCore
import Training
import Workflows

/// A model with a batch that is always the same.
struct BenchmarkInputs: TimedInputs {
    private let pipeline: Pipeline
    private let batch: DenoisingBatch
    private let seed: UInt64
    private let gradientCheckpointing: Bool
    private var model: UNet { pipeline.model }

    init(_ pipeline: Pipeline, batch count: Int, settings: BenchmarkSettings) throws {
        let seed = settings.seed
        let model = pipeline.model
        try MemoryEstimate.check(model, size: model.size, batch: count)
        self.pipeline = pipeline
        self.seed = seed
        gradientCheckpointing = settings.gradientCheckpointing
        func normal(_ index: UInt64) -> Tensor {
            let tensor = Tensor(uninitialized: [count] + model.size + [model.configuration.inChannels])
            var stream = RandomStream(seed: seed, purpose: .calibration, index: index)
            stream.fillNormal(tensor.unsafeBuffer)
            return tensor
        }
        // From the last downwards; 0 only where there is no other, as Fourier embeddings take its logarithm.
        let last = pipeline.timingScheduler.trainTimesteps - 1
        let timesteps = (0..<count).map { last - $0 * max(last - 1, 0) / count }
        batch = DenoisingBatch(
            clean: normal(0), noise: normal(1), timesteps: timesteps,
            classLabels: .first(of: model.configuration, count: count))
        try model.check(
            sampleShape: batch.noise.shape, timesteps: timesteps.map(Float.init), classLabels: batch.classLabels)
    }

    func forward() -> () throws -> Void {
        let timesteps = batch.timesteps.map(Float.init)
        return { [frozen = Frozen(model), batch] in
            _ = frozen.prediction(at: batch.noise, timesteps: timesteps, classLabels: batch.classLabels)
        }
    }

    func sampling(steps: Int) throws -> () throws -> Void {
        let sampler = ImageSampler(
            model: model, sampler: try SamplerName.ddim.makeSampler(pipeline.timingScheduler, steps: steps), seed: seed,
            classes: model.configuration.isClassConditional ? .one(0) : nil, batchSize: batch.count)
        return { [count = batch.count] in _ = try sampler.images(0..<count) }
    }

    func trainingStep() throws -> () throws -> Void {
        var configuration = TrainingConfiguration()
        configuration.learningRate = 1e-4
        configuration.ema = 0
        configuration.gradientCheckpointing = gradientCheckpointing
        let trainer = try DenoisingTrainer(
            Denoising(DenoisingObjective(pipeline.timingScheduler)), network: model, batches: SameBatch(batch: batch),
            configuration: configuration)
        return { try trainer.advance() }
    }

    func hessianVectorProduct() throws -> () throws -> Void {
        let objective = try DenoisingObjective(pipeline.timingScheduler)
        model.usesGradientCheckpointing = gradientCheckpointing
        let arena = ParameterArena(model.parameters)
        let direction = Tensor(uninitialized: [arena.count])
        var stream = RandomStream(seed: seed, purpose: .probe)
        stream.fillNormal(direction.unsafeBuffer)
        let products = Tensor(zeros: [arena.count])
        return { [model, batch] in
            arena.clearGradients()
            arena.setTangents(direction, products: products)
            defer { arena.clearTangents() }
            objective.loss(of: model, batch).backward()
        }
    }
}

extension ClassLabels {
    /// Class 0, or a zero vector, for every image of a conditional model; nil for an unconditional one.
    fileprivate static func first(of configuration: UNetConfiguration, count: Int) -> ClassLabels? {
        guard configuration.isClassConditional else { return nil }
        return configuration.classEmbedType == .identity
            ? .vectors(Tensor(zeros: [count, configuration.timeWidth])) : .numbers(Array(repeating: 0, count: count))
    }
}
