import Diffusion
import Evaluation
import Files
import Foundation
import Imagery
import ModelFolders
import Runs
import TensorCore

/// Compares a pruned model with the dense one it came from: the same noise through both, what comes out, and what it
/// costs. Writes `metrics.json`, `grid.png` and `report.html`.
public struct EvaluationWorkflow {
    private let settings: EvaluationSettings
    private let dense: LoadedPipeline
    private let pruned: LoadedPipeline
    private let command: String
    private let context: RunContext

    /// - Parameters:
    ///   - settings: how the two are compared.
    ///   - dense: the model before pruning.
    ///   - pruned: where its folder is `model` in a run folder, the report shows the run's history.
    ///   - command: the command line as typed, for the report.
    ///   - context: where the report goes.
    public init(
        _ settings: EvaluationSettings, dense: LoadedPipeline, pruned: LoadedPipeline, command: String = "",
        in context: RunContext
    ) {
        self.settings = settings
        self.dense = dense
        self.pruned = pruned
        self.command = command
        self.context = context
    }

    public func run() throws -> EvaluationResult {
        try settings.validate()
        let models = try ComparedModels(
            dense: dense.pipeline, pruned: pruned.pipeline, classLabel: settings.classLabel)
        let data = try settings.data.path.isEmpty ? nil : settings.data.open(for: models.dense.model)
        let history = try RunHistory.beside(model: pruned.folder.url)
        let features = try FeatureChoice(settings, for: models.dense.model)
        return try context.writing { try measure(models, data: data, features: features, history: history) }
    }

    private func measure(
        _ models: ComparedModels, data: InMemoryDataset?, features: FeatureChoice, history: RunHistory?
    ) throws -> EvaluationResult {
        var warnings = models.warnings
        let denseSamples = try sample(models.dense, phase: "sampling with the dense model")
        let prunedSamples = try sample(models.pruned, phase: "sampling with the pruned model")
        let (denseImages, prunedImages) = (try denseSamples.images(), try prunedSamples.images())
        let pairs = try ImageConsistency(denseImages, prunedImages)
        if pairs.ssim == nil { warnings.append("the images are smaller than SSIM's window of 11×11: there is no SSIM") }
        let clean = try cleanImages(models, data: data, samples: denseSamples)
        let predictions = try NoisePredictionErrors(
            dense: models.dense.model, pruned: models.pruned.model, objective: models.objective, clean: clean.images,
            classes: clean.classes,
            timesteps: NoisePredictionErrors.spread(
                settings.timestepCount, over: models.objective.schedule.trainTimesteps),
            seed: settings.seed, batchSize: settings.batchSize
        ) { done, total in
            context.report("comparing predictions", done, of: total)
        }
        let quality = try frechet(features, data: data, denseImages, prunedImages)
        context.report("timing", 0, of: 1)
        let efficiency = try EfficiencyMeasurement(settings: settings, models: models).run(
            dense: dense.folder, pruned: pruned.folder)
        context.report("timing", 1, of: 1)
        let notes = warnings + [quality.warning].compactMap { $0 }
        let result = EvaluationResult(
            count: settings.count, seed: settings.seed, samplerName: settings.sampler.rawValue, steps: settings.steps,
            consistency: try ConsistencySummary(pairs), predictions: predictions, predictionSource: clean.source,
            predictionImages: clean.images.shape[0], quality: quality, efficiency: efficiency, warnings: notes)
        try write(result, models, pairs: pairs, denseImages, prunedImages, history: history)
        return result
    }

    // MARK: parts

    private func sample(_ pipeline: Pipeline, phase: String) throws -> Tensor {
        let sampler = ImageSampler(
            model: pipeline.model, sampler: try settings.sampler.makeSampler(pipeline.scheduler, steps: settings.steps),
            seed: settings.seed, classLabel: settings.classLabel.map(Float.init), batchSize: settings.batchSize)
        return try sampler.images(0..<settings.count) { done, total in
            context.report(phase, done, of: total)
        }
    }

    /// The x₀ at which predictions are compared: real images where there are some, else what the dense model drew.
    private func cleanImages(
        _ models: ComparedModels, data: InMemoryDataset?, samples: Tensor
    ) throws -> (images: Tensor, classes: [Float]?, source: String) {
        let isConditional = models.dense.model.configuration.isClassConditional
        guard let data else {
            let count = min(settings.predictionImages, settings.count)
            let classes = settings.classLabel.map { Array(repeating: Float($0), count: count) }
            return (samples.rows(0..<count), classes, "samples of the dense model")
        }
        var stream = RandomStream(seed: settings.seed, purpose: "evaluation-images")
        let chosen = stream.permutation(count: data.count).prefix(settings.predictionImages)
        let images = Tensor(uninitialized: [chosen.count, data.height, data.width, data.channels])
        let size = data.height * data.width * data.channels
        for (slot, index) in chosen.enumerated() { data.read(index, into: images.pointer + slot * size) }
        // A model whose data has no labels here is asked about the class that is drawn.
        let classes = chosen.map { Float(data.label($0) ?? settings.classLabel ?? 0) }
        return (images, isConditional ? classes : nil, "\(settings.data.path) (\(settings.data.split.rawValue))")
    }

    private func frechet(
        _ features: FeatureChoice, data: InMemoryDataset?, _ denseImages: [Image], _ prunedImages: [Image]
    ) throws -> FrechetQuality {
        switch features {
        case .none(let reason): return .unavailable(reason: reason)
        case .net(let extractor):
            guard let data else { return .unavailable(reason: "no data set was given") }
            context.report("features", 0, of: 1)
            defer { context.report("features", 1, of: 1) }
            return try FrechetQuality.measure(
                dense: denseImages, pruned: prunedImages, dataset: data, limit: settings.referenceImages,
                classLabel: settings.classLabel, seed: settings.seed,
                name: "\(settings.data.path) (\(settings.data.split.rawValue))", extractor: extractor)
        }
    }

    private func write(
        _ result: EvaluationResult, _ models: ComparedModels, pairs: ImageConsistency, _ denseImages: [Image],
        _ prunedImages: [Image], history: RunHistory?
    ) throws {
        let grid = try ConsistencyGrid.encoded(dense: denseImages, pruned: prunedImages, pairs: pairs)
        let report = try EvaluationReport(
            result: result, dense: models.dense, pruned: models.pruned, grids: grid.halves,
            denseSheet: PNG.encode(ConsistencyGrid.sheet(denseImages)),
            prunedSheet: PNG.encode(ConsistencyGrid.sheet(prunedImages)), history: history, command: command,
            settings: settings, densePath: dense.folder.url.path, prunedPath: pruned.folder.url.path)
        let page = try report.page()
        try StagedOutput.write(into: context.output) { folder in
            if settings.savesImages {
                let images = folder.appendingPathComponent("images")
                try NumberedImages.write(denseImages, to: images.appendingPathComponent("dense"))
                try NumberedImages.write(prunedImages, to: images.appendingPathComponent("pruned"))
            }
            try AtomicFile.write(grid.whole, to: folder.appendingPathComponent("grid.png"))
            try JSONFile.write(result.json(), to: folder.appendingPathComponent("metrics.json"))
            try page.write(to: folder.appendingPathComponent("report.html"))
        }
    }
}
