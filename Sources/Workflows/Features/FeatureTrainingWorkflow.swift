import Classification
import Datasets
import Files
import Imagery
import ModelFolders
import Models
import Runs
import Training

/// Trains a feature classifier, measures it on the test split and writes its folder, whole or not at all.
///
/// The weights are a function of configuration and data alone: neither threads nor time enter the folder.
public struct FeatureTrainingWorkflow {
    private let configuration: FeatureTrainingConfiguration
    private let context: RunContext

    public init(_ configuration: FeatureTrainingConfiguration, in context: RunContext) {
        self.configuration = configuration
        self.context = context
    }

    /// - Parameter eachStep: called after every step; what it throws ends the training.
    /// - Throws: `SettingError`, `DatasetError`, `StorageError`, `TrainingError` where the loss is not finite.
    public func run(eachStep: (FeatureTrainingProgress) throws -> Void = { _ in }) throws -> FeatureTrainingResult {
        try configuration.validate()
        try AtomicFolder.recover(context.output)
        return try context.writing {
            let (classifier, result) = try Self.train(configuration) {
                context.progress?(
                    ProgressUpdate(
                        phase: "training", unit: "step", completed: $0.step, total: $0.totalSteps,
                        detail: "cross-entropy \($0.loss.significant())"))
                try eachStep($0)
            }
            try FeatureClassifierFolder(context.output).save(StoredClassifier(model: classifier))
            return result
        }
    }

    /// The same without a folder.
    public static func train(
        _ configuration: FeatureTrainingConfiguration, eachStep: (FeatureTrainingProgress) throws -> Void = { _ in }
    ) throws -> (classifier: FeatureClassifier, result: FeatureTrainingResult) {
        try configuration.validate()
        let start = ContinuousClock.now
        let settings = configuration.features
        let train = try configuration.data.openLabelled(.train, size: settings.inputSize, channels: settings.channels)
        let test = try HeldOutImages.open(
            configuration.data, size: settings.inputSize, channels: settings.channels)
        let classCount = train.labelCount ?? 0
        guard test.labelCount == classCount else {
            throw SettingError(
                key: "data.path", got: "\(test.labelCount ?? 0) classes in the split that is not learned from",
                expected: "\(classCount) as in the train split")
        }
        let names =
            settings.classNames.isEmpty ? train.labelNames ?? (0..<classCount).map(String.init) : settings.classNames
        guard names.count == classCount else {
            throw SettingError(
                key: "features.class_names", got: "\(names.count) names",
                expected: "\(classCount), one a class of the data set")
        }
        let classifier = try SettingError.within("features") {
            try FeatureClassifier(settings.architecture(classNames: names))
        }
        try fit(classifier, to: train, settings, flip: configuration.data.flip, eachStep: eachStep)
        let accuracy = try classifier.accuracy(on: test)
        classifier.record(testAccuracy: accuracy)
        let result = FeatureTrainingResult(
            configuration: classifier.configuration, testAccuracy: accuracy, testCount: test.count,
            trainCount: train.count, parameterCount: classifier.parameterCount,
            seconds: (ContinuousClock.now - start) / .seconds(1))
        return (classifier, result)
    }

    private static func fit(
        _ classifier: FeatureClassifier, to dataset: InMemoryDataset, _ settings: FeatureTrainingSettings, flip: Bool,
        eachStep: (FeatureTrainingProgress) throws -> Void
    ) throws {
        let seed = UInt64(settings.seed)
        classifier.initialize(seed: seed)
        var configuration = TrainingConfiguration()
        configuration.steps = max(1, settings.epochs * dataset.count / settings.batchSize)
        configuration.learningRate = settings.learningRate
        configuration.learningRateSchedule = LearningRateSchedule(shape: .cosine, warmUpSteps: settings.warmUpSteps)
        configuration.ema = 0
        configuration.gradientClip = 0
        configuration.seed = settings.seed
        let images = TrainingImages(
            dataset, batchSize: settings.batchSize, seed: seed, flip: flip, maximumShift: settings.maximumShift)
        let trainer = try Trainer(
            Classification(), network: classifier, batches: LabelledBatches(images), configuration: configuration)
        for _ in 0..<configuration.steps {
            let report = try trainer.advance()
            try eachStep(
                FeatureTrainingProgress(
                    step: report.step, totalSteps: configuration.steps, loss: report.loss,
                    learningRate: report.learningRate))
        }
    }
}
