import Configuration
import Datasets
import Diffusion
import Files
import Foundation
import Imagery

/// The section `evaluation`: how each pruned model is compared with the dense one, as by `evaluate`.
public struct StudyEvaluation: ConfigurationSection, Equatable {
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

    func refuseFeaturesWithoutData(_ data: DataConfiguration) throws {
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
