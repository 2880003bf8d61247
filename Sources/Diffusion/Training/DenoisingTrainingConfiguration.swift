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
    /// Steps between sample grids; 0 for none.
    public var sampleEvery = 0

    public init() {}

    public subscript<Value>(dynamicMember path: WritableKeyPath<TrainingConfiguration, Value>) -> Value {
        get { training[keyPath: path] }
        set { training[keyPath: path] = newValue }
    }

    public func validate() throws {
        try training.validate()
        try require(sampleEvery >= 0, "sample_every", got: sampleEvery, expected: "at least 0")
    }

    // MARK: one section

    private enum CodingKeys: String, CodingKey {
        case timestepSampling, lossWeighting, sampleEvery
    }

    public init(from decoder: any Decoder) throws {
        training = try TrainingConfiguration(from: decoder)
        let container = try decoder.container(keyedBy: CodingKeys.self)
        timestepSampling = try container.decode(TimestepSampling.self, forKey: .timestepSampling)
        lossWeighting = try container.decode(LossWeighting.self, forKey: .lossWeighting)
        sampleEvery = try container.decode(Int.self, forKey: .sampleEvery)
    }

    public func encode(to encoder: any Encoder) throws {
        try training.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(timestepSampling, forKey: .timestepSampling)
        try container.encode(lossWeighting, forKey: .lossWeighting)
        try container.encode(sampleEvery, forKey: .sampleEvery)
    }
}
