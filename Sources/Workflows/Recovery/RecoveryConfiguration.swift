import Configuration
import Diffusion
import Files
import Pruning
import PruningMethods

/// The section `recovery`: how a model is repaired once it is decided what leaves it, and what it is taught then.
@dynamicMemberLookup
public struct RecoveryConfiguration: ConfigurationSection, Equatable {
    /// What is imitated of a teacher: of the unpruned model where a run prunes.
    public var teaching = TeachingConfiguration()
    /// The repair of the weights of what is left, before anything is removed.
    public var reconstruction = Reconstruction.none

    public init() {}

    public subscript<Value>(dynamicMember path: WritableKeyPath<TeachingConfiguration, Value>) -> Value {
        get { teaching[keyPath: path] }
        set { teaching[keyPath: path] = newValue }
    }

    public func validate() throws { try teaching.validate() }

    /// Refuses what cannot be had where masks have this granularity.
    func check(for granularity: Granularity.Name) throws {
        try require(
            reconstruction != .ridge || granularity.space == .channels, "reconstruction",
            got: "'\(reconstruction.rawValue)'",
            expected: "none or least-squares with granularity '\(granularity.rawValue)': "
                + "it repairs the loss of channels")
        try require(
            teaching.featureDistillation == 0 || granularity != .level, "feature_distillation",
            got: teaching.featureDistillation,
            expected: "0 with granularity 'level': a plain model does not say which channels it has left")
    }

    // MARK: one section

    private enum CodingKeys: String, CodingKey { case reconstruction }

    /// The keys that say nothing of fine-tuning.
    static let repairKeys: Set<String> = [CodingKeys.reconstruction.rawValue]

    public init(from decoder: any Decoder) throws {
        teaching = try TeachingConfiguration(from: decoder)
        reconstruction = try decoder.container(keyedBy: CodingKeys.self)
            .decode(Reconstruction.self, forKey: .reconstruction)
    }

    public func encode(to encoder: any Encoder) throws {
        try teaching.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(reconstruction, forKey: .reconstruction)
    }
}
