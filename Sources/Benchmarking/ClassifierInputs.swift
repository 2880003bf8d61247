import Classification
import ModelFolders
import Models
import Runs
import TensorCore
import Timing
import Training
import Workflows

/// A classifier with a batch that is always the same.
struct ClassifierInputs: TimedInputs {
    private let model: ImageClassifier
    private let batch: LabelledBatch
    private let seed: UInt64

    init(_ stored: StoredImageClassifier, batch count: Int, settings: BenchmarkSettings) throws {
        model = stored.model
        seed = settings.seed
        guard !settings.gradientCheckpointing else {
            throw RequestError.conflict(
                "--gradient-checkpointing has no meaning for a classifier, whose normalisations take moments once")
        }
        let shape = stored.imageShape
        try MemoryEstimate.check(
            width: model.channelGroups[0].width, size: Array(shape.dropLast()), batch: count)
        let images = Tensor(uninitialized: [count] + shape)
        var stream = RandomStream(seed: seed, purpose: .calibration)
        stream.fillNormal(images.unsafeBuffer)
        let classes = model.classCount
        batch = LabelledBatch(images: images, labels: (0..<count).map { $0 % classes })
    }

    func forward() -> () throws -> Void {
        let step = ClassificationStep(
            model: model, imageShape: Array(batch.images.shape.dropFirst()), batch: batch.count)
        return { step() }
    }

    func sampling(steps: Int) throws -> () throws -> Void {
        throw RequestError.conflict("a classifier draws nothing: expected --work without sampling")
    }

    func trainingStep() throws -> () throws -> Void {
        var configuration = TrainingConfiguration()
        configuration.learningRate = 1e-4
        configuration.ema = 0
        let trainer = try Trainer(
            Classification(), network: model, batches: SameBatch(batch: batch), configuration: configuration)
        return { try trainer.advance() }
    }

    func hessianVectorProduct() throws -> () throws -> Void {
        let arena = ParameterArena(model.parameters)
        let direction = Tensor(uninitialized: [arena.count])
        var stream = RandomStream(seed: seed, purpose: .probe)
        stream.fillNormal(direction.unsafeBuffer)
        let products = Tensor(zeros: [arena.count])
        let task = Classification<ImageClassifier>()
        return { [model, batch] in
            arena.clearGradients()
            arena.setTangents(direction, products: products)
            defer { arena.clearTangents() }
            task.loss(of: model, on: batch, teacher: nil, dropout: nil).backward()
        }
    }
}
