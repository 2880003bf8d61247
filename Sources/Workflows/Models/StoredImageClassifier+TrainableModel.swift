import Classification
import Datasets
import Files
import Imagery
import ModelFolders
import Models
import Training

extension ClassificationTrainingConfiguration: TrainingSection {}

/// Classifiers learn to tell the classes of labelled images.
extension StoredImageClassifier: TrainableModel {
    public typealias Folder = ImageClassifierFolder
    public typealias Task = Classification<ImageClassifier>
    public typealias Training = ClassificationTrainingConfiguration
    public typealias Recovery = ClassifierRecoveryConfiguration

    public func copied() throws -> StoredImageClassifier { become(try model.copied(), pruning: pruning) }

    public func become(_ model: ImageClassifier, pruning: PruningRecord?) -> StoredImageClassifier {
        var result = StoredImageClassifier(model: model, pruning: pruning)
        result.weightTypes = weightTypes
        result.warnings = warnings
        return result
    }

    public var imageShape: [Int] { model.imageShape }

    public func images(_ data: DataConfiguration) throws -> InMemoryDataset {
        try labelled(data.openLabelled(size: imageShape[0], channels: imageShape[2]), data)
    }

    /// - Returns: `images`, whose classes are the model's.
    func labelled(_ images: InMemoryDataset, _ data: DataConfiguration) throws -> InMemoryDataset {
        guard let classes = images.labelCount, classes <= model.classCount else {
            throw SettingError(
                key: "model.num_classes", got: model.classCount,
                expected: "at least the \(images.labelCount ?? 0) classes of \(data.path)")
        }
        return images
    }

    public func check(
        _ recovery: ClassifierRecoveryConfiguration, _ settings: ClassificationTrainingConfiguration
    ) throws {
        try require(
            settings.cropPadding < imageShape[0], "crop_padding", got: settings.cropPadding,
            expected: "below the images' \(imageShape[0]) pixels")
        try require(
            !settings.gradientCheckpointing, "gradient_checkpointing", got: true,
            expected: "false: batch normalisations take moments once, and classifiers are small")
    }

    public func check(teacher: StoredImageClassifier) throws {
        try TeacherCheck.same("image size", teacher.imageShape, imageShape)
        try TeacherCheck.same("num_classes", teacher.model.classCount, model.classCount)
    }

    public func trainer(
        on images: InMemoryDataset?, _ data: DataConfiguration, _ settings: ClassificationTrainingConfiguration,
        _ recovery: ClassifierRecoveryConfiguration, teacher: StoredImageClassifier?
    ) throws -> Trainer<Classification<ImageClassifier>> {
        guard let images else { preconditionFailure("a classifier learns from images") }
        return try Trainer(
            Classification(
                labelSmoothing: settings.labelSmoothing, distillation: recovery.distillation,
                temperature: recovery.temperature),
            network: model,
            batches: LabelledBatches(
                TrainingImages(
                    images, batchSize: settings.batchSize, seed: UInt64(settings.seed), flip: data.flip,
                    maximumShift: settings.cropPadding, border: .black)),
            configuration: settings.training, teacher: recovery.needsTeacher ? teacher?.model : nil)
    }

    public func judgement(
        on images: InMemoryDataset, batchSize: Int, seed: Int
    ) throws -> (task: Classification<ImageClassifier>, batches: any BatchSource<LabelledBatch>) {
        (
            Classification(),
            LabelledBatches(TrainingImages(images, batchSize: batchSize, seed: UInt64(seed), flip: false))
        )
    }

    /// Accuracy and loss on the images that are not learned from.
    public func inspection(
        _ settings: ClassificationTrainingConfiguration, _ data: DataConfiguration
    ) throws -> Inspection<ImageClassifier>? {
        guard !data.path.isEmpty, settings.evaluateEvery > 0 || settings.steps > 0,
            let images = try HeldOutImages.find(data, size: imageShape[0], channels: imageShape[2])
        else { return nil }
        let labelled = try labelled(images, data)
        return Inspection(
            every: settings.evaluateEvery > 0 ? settings.evaluateEvery : settings.steps, phase: "measuring accuracy,",
            noun: "measurement", unit: "image", count: labelled.count, batchSize: 1, pieces: labelled.count
        ) { model, progress in
            var done = 0
            let predictions = try Predictions(of: model, on: labelled) { now in
                // One piece an image.
                for piece in done..<now { try progress(piece + 1, labelled.count) }
                done = now
            }
            return .numbers([
                "test_accuracy": .double(predictions.accuracy), "test_loss": .double(predictions.loss),
            ])
        }
    }
}
