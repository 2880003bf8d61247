import Configuration
import Files
import Training

/// The `training` and `finetuning` sections of a classifier: the keys of every training, and those of this task beside
/// them.
@dynamicMemberLookup
public struct ClassificationTrainingConfiguration: ConfigurationSection, Equatable {
    public var training = TrainingConfiguration()
    /// Share of each target that is spread evenly over all classes.
    public var labelSmoothing = 0.0
    /// Pixels of black around training images, out of which one of their size is cut at random; 0 for none.
    public var cropPadding = 0
    /// Steps between measurements on the images that are not learned from; 0 for one at the end alone.
    public var evaluateEvery = 0

    public init() {}

    public subscript<Value>(dynamicMember path: WritableKeyPath<TrainingConfiguration, Value>) -> Value {
        get { training[keyPath: path] }
        set { training[keyPath: path] = newValue }
    }

    public func validate() throws {
        try training.validate()
        try require(
            (0..<1).contains(labelSmoothing), "label_smoothing", got: labelSmoothing, expected: "in [0, 1)")
        try require((0...256).contains(cropPadding), "crop_padding", got: cropPadding, expected: "0...256")
        try require(evaluateEvery >= 0, "evaluate_every", got: evaluateEvery, expected: "at least 0")
    }

    // MARK: one section

    private enum CodingKeys: String, CodingKey {
        case labelSmoothing, cropPadding, evaluateEvery
    }

    public init(from decoder: any Decoder) throws {
        training = try TrainingConfiguration(from: decoder)
        let container = try decoder.container(keyedBy: CodingKeys.self)
        labelSmoothing = try container.decode(Double.self, forKey: .labelSmoothing)
        cropPadding = try container.decode(Int.self, forKey: .cropPadding)
        evaluateEvery = try container.decode(Int.self, forKey: .evaluateEvery)
    }

    public func encode(to encoder: any Encoder) throws {
        try training.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(labelSmoothing, forKey: .labelSmoothing)
        try container.encode(cropPadding, forKey: .cropPadding)
        try container.encode(evaluateEvery, forKey: .evaluateEvery)
    }
}
