import Classification
import Files
import Foundation
import Imagery
import ModelFolders
import Models
import Runs
import Statistics
import Timing

/// Compares a pruned classifier with the dense one it came from: what both say of the same images, and what that costs.
/// Writes `metrics.json` and `report.html`.
public struct ClassifierEvaluationWorkflow {
    private let settings: ClassifierEvaluationSettings
    private let dense: LoadedModel<ImageClassifierFolder>
    private let pruned: LoadedModel<ImageClassifierFolder>
    private let context: RunContext

    /// - Parameters:
    ///   - settings: on which images.
    ///   - dense: the model before pruning.
    ///   - pruned: where it is `model` in a run folder, the report shows the run's history.
    ///   - context: where the report goes.
    public init(
        _ settings: ClassifierEvaluationSettings, dense: LoadedModel<ImageClassifierFolder>,
        pruned: LoadedModel<ImageClassifierFolder>, in context: RunContext
    ) {
        self.settings = settings
        self.dense = dense
        self.pruned = pruned
        self.context = context
    }

    public func run() throws -> ClassifierEvaluationResult {
        try settings.validate()
        let (before, after) = (dense.model, pruned.model)
        try Self.check(before, after)
        context.progress?(ProgressUpdate(phase: "reading images"))
        let data = try before.images(settings.data)
        let history = try RunHistory.beside(model: pruned.folder.url)
        return try context.writing {
            let result = try measure(before, after, data)
            let page = try ClassifierEvaluationReport(
                result: result, dense: before, pruned: after, history: history, instructions: context.command,
                densePath: dense.folder.url.path, prunedPath: pruned.folder.url.path
            ).page()
            try StagedOutput.write(into: context.output) { folder in
                try JSONFile.write(result.json(), to: folder.appendingPathComponent("metrics.json"))
                try page.write(to: folder.appendingPathComponent("report.html"))
            }
            return result
        }
    }

    /// - Throws: `EvaluationError` where the two cannot be compared.
    private static func check(_ dense: StoredImageClassifier, _ pruned: StoredImageClassifier) throws {
        func same<Value: Equatable>(_ what: String, _ a: Value, _ b: Value) throws {
            guard a == b else { throw EvaluationError.notComparable(what: what, dense: "\(a)", pruned: "\(b)") }
        }
        try same("the images' shape", dense.imageShape, pruned.imageShape)
        try same("the number of classes", dense.model.classCount, pruned.model.classCount)
    }

    private func measure(
        _ before: StoredImageClassifier, _ after: StoredImageClassifier, _ data: InMemoryDataset
    ) throws -> ClassifierEvaluationResult {
        var sides: [ClassifierEvaluationResult.Side] = []
        for (name, model) in [("dense", before.model), ("pruned", after.model)] {
            let predictions = try Predictions(of: model, on: data) { done in
                context.progress?(
                    ProgressUpdate(
                        phase: "classifying with the \(name) model,", unit: "image", completed: done, total: data.count)
                )
            }
            sides.append(try .init(predictions, classes: model.classCount))
        }
        context.progress?(ProgressUpdate(phase: "timing both models"))
        let efficiency = try EfficiencyMeasurement(batch: settings.timedBatch).run(
            dense: side(dense), pruned: side(pruned))
        let pairs = zip(sides[0].predictions.classes, sides[1].predictions.classes)
        let correct = zip(sides[0].predictions.isCorrect, sides[1].predictions.isCorrect)
        return ClassifierEvaluationResult(
            dense: sides[0], pruned: sides[1],
            agreement: try SampleStatistics(pairs.map { $0 == $1 ? 1 : 0 }, within: 0...1),
            difference: try SampleStatistics(
                correct.map { Double(($1 ? 1 : 0) - ($0 ? 1 : 0)) }, within: -1...1),
            classNames: Self.names(before.model, data),
            source: "\(settings.data.path) (\(settings.data.split.rawValue))", efficiency: efficiency,
            pruning: after.pruning, warnings: before.warnings + after.warnings + swapWarning(before, after),
            madeBy: Provenance(command: context.command))
    }

    private func side(_ model: LoadedModel<ImageClassifierFolder>) throws -> EfficiencyMeasurement.Side {
        let stored = model.model
        return EfficiencyMeasurement.Side(network: stored.model, fileBytes: try model.folder.weightBytes()) { batch in
            ClassificationStep(model: stored.model, imageShape: stored.imageShape, batch: batch)
        }
    }

    private static func names(_ model: ImageClassifier, _ data: InMemoryDataset) -> [String] {
        let names = model.configuration.classNames
        if !names.isEmpty { return names }
        if let names = data.labelNames, names.count == model.classCount { return names }
        return (0..<model.classCount).map(String.init)
    }

    private func swapWarning(_ dense: StoredImageClassifier, _ pruned: StoredImageClassifier) -> [String] {
        guard pruned.model.macs > dense.model.macs else { return [] }
        return [
            "the pruned model takes more multiply–accumulates than the dense one: are --dense and --pruned swapped?"
        ]
    }
}
