import Classification
import Configuration
import Datasets
import Files
import Foundation
import Imagery
import ModelFolders
import Runs

/// The section `evaluation` of a study of classifiers: on which images each pruned model is compared with the dense
/// one.
public struct ClassifierStudyEvaluation: StudyComparing {
    /// Part of the data.
    public var split = DatasetSpecification.Split.test

    public init() {}

    public func validate() throws {}

    public static var quantities: [StudyQuantity] {
        func share(_ key: String) -> StudyQuantity {
            StudyQuantity(
                key, title: key, unit: "%", decimals: 2, differenceDecimals: 2, scale: 100, range: 0...1)
        }
        return [share("accuracy"), share("agreement")]
    }

    public static var readings: [StudyReading] {
        [StudyReading("loss", column: "loss", title: "loss", longTitle: "cross-entropy")]
    }

    public static var circumstance: String { "on the same images" }
    public static var step: String { "a classification" }

    public func refuseFeaturesWithoutData(_ data: DataConfiguration) {}

    private func settings(_ data: DataConfiguration) -> ClassifierEvaluationSettings {
        var settings = ClassifierEvaluationSettings()
        settings.data = data
        settings.data.split = split
        // All of them: what a run is trained on may be fewer.
        settings.data.limit = 0
        return settings
    }

    public func check(_ model: StoredImageClassifier, _ data: DataConfiguration) throws {
        try settings(data).validate()
    }

    public func following(_ data: DataConfiguration, prunedShare: Double) -> [Timetable.Stretch] {
        // How many images there are is known when they are read.
        [.init("comparison", pieces: 1, weight: 1000 * (1 + prunedShare), noun: "comparison")]
    }

    public func seconds(of model: StoredImageClassifier, _ data: DataConfiguration) throws -> Double {
        let images = try model.images(settings(data).data)
        let start = ContinuousClock.now
        _ = try Predictions(of: model.model, on: images)
        return 2 * ((ContinuousClock.now - start) / .seconds(1))
    }

    public func compare(
        _ dense: LoadedModel<ImageClassifierFolder>, _ pruned: URL, _ data: DataConfiguration, in context: RunContext
    ) throws -> StudyMeasurement {
        let result = try ClassifierEvaluationWorkflow(
            settings(data), dense: dense, pruned: LoadedModel(pruned), in: context
        ).run()
        func numbers(_ truths: [Bool]) -> [Double?] { truths.map { $0 ? 1 : 0 } }
        let same = zip(result.dense.predictions.classes, result.pruned.predictions.classes).map { $0 == $1 }
        return StudyMeasurement(
            efficiency: result.efficiency,
            pairs: ["accuracy": numbers(result.pruned.predictions.isCorrect), "agreement": numbers(same)],
            readings: ["loss": result.pruned.loss.mean], denseReadings: ["loss": result.dense.loss.mean])
    }

    public func provenance(_ data: DataConfiguration) -> [(name: String, value: String)] {
        [("Data", "`\(data.path)`; compared on its part \(split.rawValue)")]
    }
}
