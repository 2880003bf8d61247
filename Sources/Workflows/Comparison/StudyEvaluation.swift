import Configuration
import Datasets
import Diffusion
import Evaluation
import Files
import Foundation
import Imagery
import ModelFolders
import Runs

/// The section `evaluation`: how each pruned model is compared with the dense one, as by `evaluate`.
public struct StudyEvaluation: StudyComparing {
    /// Pictures drawn by each model.
    public var count = 64
    public var seed = 0
    public var sampler = SamplerName.ddim
    public var steps = 50
    /// DDIM's η.
    public var eta = 0.0
    public var batchSize = 16
    /// Part of the data that noise predictions are compared on and distances are taken to.
    public var split = DatasetSpecification.Split.train
    /// Folder of a feature net; empty for the bundled one where it fits.
    public var features = ""

    public init() {}

    public func validate() throws {
        try require(seed >= 0, "seed", got: seed, expected: "at least 0")
        try require((0...1).contains(eta), "eta", got: eta, expected: "0 (deterministic) to 1")
        try require(eta == 0 || sampler == .ddim, "eta", got: eta, expected: "0 with the ddpm sampler (ddim has one)")
        try settings(data: DataConfiguration()).validate()
    }

    public func refuseFeaturesWithoutData(_ data: DataConfiguration) throws {
        try require(
            features.isEmpty || !data.path.isEmpty, "evaluation.features", got: "'\(features)'",
            expected: "none without data (data.path)")
    }

    /// What `evaluate` would be told.
    func settings(data: DataConfiguration) -> EvaluationSettings {
        var settings = EvaluationSettings()
        settings.count = count
        settings.seed = UInt64(seed)
        settings.sampler = sampler
        settings.steps = steps
        settings.eta = eta
        settings.batchSize = batchSize
        settings.data = data
        settings.data.split = split
        // All of them: what a run is trained on may be fewer.
        settings.data.limit = 0
        settings.features = features.isEmpty || data.path.isEmpty ? nil : URL(fileURLWithPath: features)
        settings.savesImages = true
        settings.savedLimit = StudySheet.columns
        return settings
    }
}

extension StudyEvaluation {
    public static var quantities: [StudyQuantity] {
        [
            StudyQuantity("ssim", title: "SSIM", decimals: 3, differenceDecimals: 3, range: -1...1),
            StudyQuantity(
                "psnr", title: "PSNR", unit: "dB", decimals: 1, differenceDecimals: 2,
                range: 0...PeakSignalToNoise.cap),
        ]
    }

    public static var readings: [StudyReading] {
        [
            StudyReading("frechet", column: "frechet_distance", title: "Fréchet", longTitle: "Fréchet distance"),
            StudyReading("epsilonError", column: "epsilon_mse", title: "ε-error", longTitle: "ε-error"),
        ]
    }

    public static var circumstance: String { "from the same noise" }
    public static var step: String { "a sampling step" }

    private func checked(_ data: DataConfiguration) throws -> EvaluationSettings {
        let settings = settings(data: data)
        try settings.validate()
        return settings
    }

    public func check(_ model: Pipeline, _ data: DataConfiguration) throws {
        _ = try checked(data).makeSampler(model.scheduler)
    }

    public func following(_ data: DataConfiguration, prunedShare: Double) -> [Timetable.Stretch] {
        EvaluationPart.stretches(
            settings(data: data), prunedShare: prunedShare, hasFeatures: !data.path.isEmpty,
            hasData: !data.path.isEmpty)
    }

    public func seconds(of model: Pipeline, _ data: DataConfiguration) throws -> Double {
        2 * (try SamplingForecast.seconds(checked(data), of: model))
    }

    public func compare(
        _ dense: LoadedPipeline, _ pruned: URL, _ data: DataConfiguration, in context: RunContext
    ) throws -> StudyMeasurement {
        let result = try EvaluationWorkflow(
            checked(data), dense: dense, pruned: LoadedPipeline(pruned), in: context
        ).run()
        let errors = result.predictions.timesteps.map(\.difference.mean)
        var readings = ["epsilonError": errors.reduce(0, +) / Double(errors.count)]
        var denseReadings: [String: Double] = [:]
        if case .measured(let distances) = result.quality {
            readings["frechet"] = distances.pruned
            denseReadings["frechet"] = distances.dense
        }
        return StudyMeasurement(
            efficiency: result.efficiency,
            pairs: ["ssim": result.pairs.ssim, "psnr": result.pairs.psnr.map(PeakSignalToNoise.capped)],
            readings: readings, denseReadings: denseReadings)
    }

    public func provenance(_ data: DataConfiguration) -> [(name: String, value: String)] {
        var entries = [
            (
                "Pictures",
                "\(count) of each model, seed \(seed), \(sampler.rawValue) with \(steps) steps"
                    + (eta > 0 ? ", η \(eta.plain)" : "")
            )
        ]
        if !data.path.isEmpty {
            entries.append(("Data", "`\(data.path)`; compared on its part \(split.rawValue)"))
        }
        return entries
    }
}
