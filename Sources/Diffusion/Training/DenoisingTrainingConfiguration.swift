import Configuration
import Files
import Training

/// The `training` and `finetuning` sections of a denoising model: the keys of every training,
/// and those of this task beside them.
@dynamicMemberLookup
public struct DenoisingTrainingConfiguration: ConfigurationSection, Equatable {
    public var training = TrainingConfiguration()
    public var timestepSampling = TimestepSampling.antithetic
    /// How much each timestep counts; in pruning, for the scores too.
    public var lossWeighting = LossWeighting.uniform
    /// Weight of imitating the features of a teacher, such as the unpruned model (`FeatureDistillation`); 0 for none.
    public var featureDistillation = 0.0
    /// Which blocks' features these are.
    public var featureLayers = FeatureDistillation.Blocks.attention
    /// Features further than so many standard deviations from the mean are not imitated.
    public var featureOutliers = 6.0
    /// Steps between sample grids; 0 for none.
    public var sampleEvery = 0

    public init() {}

    /// Whether there is something of a teacher's to imitate.
    public var needsTeacher: Bool { training.distillation > 0 || featureDistillation > 0 }

    /// What of a teacher's features is imitated; nil for nothing.
    var features: FeatureDistillation? {
        guard featureDistillation > 0 else { return nil }
        return FeatureDistillation(weight: featureDistillation, blocks: featureLayers, outliers: featureOutliers)
    }

    public subscript<Value>(dynamicMember path: WritableKeyPath<TrainingConfiguration, Value>) -> Value {
        get { training[keyPath: path] }
        set { training[keyPath: path] = newValue }
    }

    public func validate() throws {
        try training.validate()
        try require(
            featureDistillation >= 0 && featureDistillation <= 1e6, "feature_distillation", got: featureDistillation,
            expected: "0...1000000")
        try require(
            featureOutliers > 0 && featureOutliers <= 1e6, "feature_outliers", got: featureOutliers,
            expected: "in (0, 1000000]")
        try require(sampleEvery >= 0, "sample_every", got: sampleEvery, expected: "at least 0")
    }

    // MARK: one section

    private enum CodingKeys: String, CodingKey {
        case timestepSampling, lossWeighting, featureDistillation, featureLayers, featureOutliers, sampleEvery
    }

    public init(from decoder: any Decoder) throws {
        training = try TrainingConfiguration(from: decoder)
        let container = try decoder.container(keyedBy: CodingKeys.self)
        timestepSampling = try container.decode(TimestepSampling.self, forKey: .timestepSampling)
        lossWeighting = try container.decode(LossWeighting.self, forKey: .lossWeighting)
        featureDistillation = try container.decode(Double.self, forKey: .featureDistillation)
        featureLayers = try container.decode(FeatureDistillation.Blocks.self, forKey: .featureLayers)
        featureOutliers = try container.decode(Double.self, forKey: .featureOutliers)
        sampleEvery = try container.decode(Int.self, forKey: .sampleEvery)
    }

    public func encode(to encoder: any Encoder) throws {
        try training.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(timestepSampling, forKey: .timestepSampling)
        try container.encode(lossWeighting, forKey: .lossWeighting)
        try container.encode(featureDistillation, forKey: .featureDistillation)
        try container.encode(featureLayers, forKey: .featureLayers)
        try container.encode(featureOutliers, forKey: .featureOutliers)
        try container.encode(sampleEvery, forKey: .sampleEvery)
    }
}
