import Diffusion
import Evaluation
import Files
import Foundation
import Imagery
import ModelFolders
import Runs
import TensorCore
import Timing

/// Compares a pruned model with the dense one it came from: the same noise through both, what comes out, and what it
/// costs. Writes `metrics.json`, `grid.png` and `report.html`.
public struct EvaluationWorkflow {
    private let settings: EvaluationSettings
    private let dense: LoadedPipeline
    private let pruned: LoadedPipeline
    private let instructions: String
    private let context: RunContext

    /// - Parameters:
    ///   - settings: how the two are compared.
    ///   - dense: the model before pruning.
    ///   - pruned: where its folder is `model` in a run folder, the report shows the run's history.
    ///   - instructions: what the report says of making it again; nil for the context's command alone.
    ///   - context: where the report goes.
    public init(
        _ settings: EvaluationSettings, dense: LoadedPipeline, pruned: LoadedPipeline, instructions: String? = nil,
        in context: RunContext
    ) {
        self.settings = settings
        self.dense = dense
        self.pruned = pruned
        self.instructions = instructions ?? context.command
        self.context = context
    }

    public func run() throws -> EvaluationResult {
        try settings.validate()
        let models = try ComparedModels(
            dense: dense.pipeline, pruned: pruned.pipeline, classes: settings.classes)
        let data = try settings.data.path.isEmpty ? nil : settings.data.open(for: models.dense.model)
        for pipeline in [models.dense, models.pruned] { _ = try settings.makeSampler(pipeline.scheduler) }
        let history = try RunHistory.beside(model: pruned.folder.url)
        let features = try FeatureChoice(settings, for: models.dense.model)
        if case .net = features, data != nil { try FrechetDistance.prepare() }
        return try context.writing { try measure(models, data: data, features: features, history: history) }
    }

    private func measure(
        _ models: ComparedModels, data: InMemoryDataset?, features: FeatureChoice, history: RunHistory?
    ) throws -> EvaluationResult {
        var warnings = models.warnings
        var hasFeatures = data != nil
        if case .none = features { hasFeatures = false }
        let reporter = ProgressReporter(
            context.progress,
            Timetable(
                EvaluationPart.stretches(
                    settings, prunedShare: models.pruned.model.macs / models.dense.model.macs, hasFeatures: hasFeatures,
                    hasData: data != nil)))
        let denseSamples = try sample(models.dense, models.classes, .dense, reporter)
        let prunedSamples = try sample(models.pruned, models.classes, .pruned, reporter)
        let (denseImages, prunedImages) = (try denseSamples.images(), try prunedSamples.images())
        let pairs = try ImageConsistency(denseImages, prunedImages)
        warnings += SmallPairs.warning(pairs, denseImages).map { [$0] } ?? []
        let clean = try cleanImages(models, data: data, samples: denseSamples)
        let predictions = try NoisePredictionErrors(
            dense: models.dense.model, pruned: models.pruned.model, objective: models.objective, clean: clean.images,
            classes: clean.classes,
            timesteps: NoisePredictionErrors.spread(
                settings.timestepCount, over: models.objective.schedule.trainTimesteps),
            seed: settings.seed, batchSize: settings.batchSize
        ) { done, total in
            reporter.finished(
                EvaluationPart.predictions.rawValue,
                ProgressUpdate(phase: "comparing predictions,", unit: "timestep", completed: done, total: total))
        }
        let byClass = try ClassResult.gather(
            models.classes, pairs: pairs, predictions: predictions, cleanLabels: clean.knownLabels,
            names: data?.labelNames)
        if case .all(let classes)? = models.classes, byClass.count < classes {
            warnings.append(
                "only \(byClass.count) of the \(classes) classes are drawn, the first: \(settings.count) pictures are "
                    + "too few for all")
        }
        if hasFeatures { reporter.at(ProgressUpdate(phase: "taking features of the pictures")) }
        let quality = try frechet(features, data: data, models.classes, denseImages, prunedImages)
        if hasFeatures { reporter.finished(EvaluationPart.features.rawValue) }
        reporter.at(ProgressUpdate(phase: "timing both models"))
        let efficiency = try EfficiencyMeasurement(batch: settings.timedBatch).run(
            dense: side(dense, models), pruned: side(pruned, models))
        reporter.finished(EvaluationPart.timing.rawValue)
        let notes = warnings + [quality.warning].compactMap { $0 }
        let result = EvaluationResult(
            count: settings.count, seed: settings.seed, samplerName: settings.sampler.rawValue, steps: settings.steps,
            eta: settings.eta,
            classes: models.classes, consistency: try ConsistencySummary(pairs), byClass: byClass,
            predictions: predictions, predictionSource: clean.source,
            predictionImages: clean.images.shape[0], quality: quality, efficiency: efficiency,
            pairs: pairs, pruning: models.pruned.pruning, warnings: notes, madeBy: Provenance(command: context.command))
        try write(result, models, pairs: pairs, denseImages, prunedImages, history: history)
        return result
    }

    // MARK: parts

    private func side(_ model: LoadedPipeline, _ models: ComparedModels) throws -> EfficiencyMeasurement.Side {
        EfficiencyMeasurement.Side(network: model.pipeline.model, fileBytes: try model.folder.weightBytes()) { batch in
            try SamplingStep(
                model: model.pipeline.model, sampler: settings.makeSampler(model.pipeline.scheduler), batch: batch,
                classes: models.classes)
        }
    }

    private func sample(
        _ pipeline: Pipeline, _ classes: ImageClasses?, _ part: EvaluationPart, _ reporter: ProgressReporter
    ) throws -> Tensor {
        func position(_ picture: Int) -> ProgressUpdate {
            ProgressUpdate(
                phase: "sampling with the \(part) model,", unit: "picture", completed: max(1, picture),
                total: settings.count)
        }
        reporter.at(position(1))
        let sampler = ImageSampler(
            model: pipeline.model, sampler: try settings.makeSampler(pipeline.scheduler),
            seed: settings.seed, classes: classes, batchSize: settings.batchSize)
        return try sampler.images(0..<settings.count) { done, total in
            reporter.finished(part.rawValue, position(done * settings.count / total))
        }
    }

    /// The x₀ at which predictions are compared: real images where there are some, else what the dense model drew.
    private func cleanImages(
        _ models: ComparedModels, data: InMemoryDataset?, samples: Tensor
    ) throws -> (images: Tensor, classes: [Float]?, knownLabels: [Int]?, source: String) {
        guard let data else {
            let count = min(settings.predictionImages, settings.count)
            let classes = models.classes.map { (0..<count).map($0.label) }
            var known: [Int]?
            if case .all(let classes)? = models.classes { known = (0..<count).map { $0 % classes } }
            return (samples.rows(0..<count), classes, known, "samples of the dense model")
        }
        var stream = RandomStream(seed: settings.seed, purpose: "evaluation-images")
        let chosen = stream.permutation(count: data.count).prefix(settings.predictionImages)
        let images = Tensor(uninitialized: [chosen.count, data.height, data.width, data.channels])
        let size = data.height * data.width * data.channels
        for (slot, index) in chosen.enumerated() { data.read(index, into: images.pointer + slot * size) }
        let known = data.labelCount == nil ? nil : chosen.compactMap(data.label)
        // A model whose data has no labels here is asked about the classes that are drawn.
        let classes = models.classes.map { drawn in
            chosen.indices.map { slot in known.map { Float($0[slot]) } ?? drawn.label(of: slot) }
        }
        return (images, classes, known, "\(settings.data.path) (\(settings.data.split.rawValue))")
    }

    private func frechet(
        _ features: FeatureChoice, data: InMemoryDataset?, _ classes: ImageClasses?, _ denseImages: [Image],
        _ prunedImages: [Image]
    ) throws -> FrechetQuality {
        switch features {
        case .none(let reason, let remedy): return .unavailable(reason: reason, remedy: remedy)
        case .net(let extractor):
            guard let data else { return .unavailable(reason: "no data set was given") }
            return try FrechetQuality.measure(
                dense: denseImages, pruned: prunedImages, dataset: data, limit: settings.referenceImages,
                classes: classes, seed: settings.seed,
                name: "\(settings.data.path) (\(settings.data.split.rawValue))", extractor: extractor)
        }
    }

    private func write(
        _ result: EvaluationResult, _ models: ComparedModels, pairs: ImageConsistency, _ denseImages: [Image],
        _ prunedImages: [Image], history: RunHistory?
    ) throws {
        let grid = try ConsistencyGrid.encoded(
            dense: denseImages, pruned: prunedImages, pairs: pairs, classes: models.classes)
        let report = try EvaluationReport(
            result: result, dense: models.dense, pruned: models.pruned, grids: grid.halves,
            denseSheet: PNG.encode(ConsistencyGrid.sheet(denseImages, classes: models.classes)),
            prunedSheet: PNG.encode(ConsistencyGrid.sheet(prunedImages, classes: models.classes)), history: history,
            instructions: instructions,
            settings: settings, densePath: dense.folder.url.path, prunedPath: pruned.folder.url.path)
        let page = try report.page()
        try StagedOutput.write(into: context.output) { folder in
            if settings.savesImages {
                let images = folder.appendingPathComponent("images")
                for (name, all) in [("dense", denseImages), ("pruned", prunedImages)] {
                    let saved = Array(all.prefix(settings.savedLimit ?? all.count))
                    try NumberedImages.write(saved, to: images.appendingPathComponent(name))
                }
            }
            try AtomicFile.write(grid.whole, to: folder.appendingPathComponent("grid.png"))
            try JSONFile.write(result.json(), to: folder.appendingPathComponent("metrics.json"))
            try page.write(to: folder.appendingPathComponent("report.html"))
        }
    }
}
