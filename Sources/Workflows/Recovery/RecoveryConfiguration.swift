import Configuration
import Diffusion
import Files
import Pruning
import PruningMethods
import Runs

/// The section `recovery`: how a model is repaired once it is decided what leaves it, and what it is taught then.
@dynamicMemberLookup
public struct RecoveryConfiguration: RecoverySection {
    /// What is imitated of a teacher: of the unpruned model where a run prunes.
    public var teaching = TeachingConfiguration()
    /// What the teacher draws for the model to learn from.
    public var generation = GenerationConfiguration()
    /// The repair of the weights of what is left, before anything is removed.
    public var reconstruction = Reconstruction.none

    public init() {}

    public subscript<Value>(dynamicMember path: WritableKeyPath<TeachingConfiguration, Value>) -> Value {
        get { teaching[keyPath: path] }
        set { teaching[keyPath: path] = newValue }
    }

    public func validate() throws {
        try teaching.validate()
        try generation.validate()
    }

    /// What the section holds where it says nothing: what a teacher draws is there to be learned from it.
    ///
    /// - Parameters:
    ///   - document: says whether a teacher draws anything.
    ///   - distillation: where it does not.
    public static func defaults(
        in document: ConfigurationDocument, distillation: Double
    ) throws -> RecoveryConfiguration {
        var defaults = RecoveryConfiguration()
        let kind = try document.text("recovery", "generated")
        let isDrawn = kind != nil && kind != GenerationConfiguration.Kind.none.rawValue
        defaults.distillation = isDrawn ? 1 : distillation
        return defaults
    }

    /// With nothing left open of what is drawn.
    ///
    /// - Parameter hasData: whether there is a data set.
    /// - Throws: `SettingError` where what is drawn cannot be learned from as asked.
    public func resolved(hasData: Bool) throws -> RecoveryConfiguration {
        var resolved = self
        resolved.generation = try generation.resolved(hasData: hasData)
        try require(
            resolved.generation.generated != .trajectories || resolved.generation.generatedShare != 1
                || teaching.distillation == 1, "distillation", got: teaching.distillation,
            expected: "1 with trajectories alone: at their points there is no noise to compare with, only what the "
                + "dense model predicts")
        try require(
            teaching.predictionUses == 1 || generation.generated != .trajectories, "prediction_uses",
            got: teaching.predictionUses,
            expected: "1 with trajectories, whose predictions are known: generated_passes says how often they are used")
        try require(
            teaching.predictionUses == 1 || resolved.generation.generatedPasses ?? 0 == 0, "prediction_uses",
            got: teaching.predictionUses, expected: "1 where pictures are drawn anew after generated_passes")
        return resolved
    }

    public var drawn: String? { generation.generated == .none ? nil : generation.generated.rawValue }
    public var needsTeacher: Bool { teaching.needsTeacher || isDrawn }

    /// With tangents everything is done twice.
    public var stepCost: (teacher: Double, own: Double) {
        (
            teaching.needsTeacher ? 1 / Double(teaching.predictionUses) : 0,
            teaching.jacobianMatching > 0 ? 2 : 1
        )
    }

    /// Refuses a repair that masks of this granularity have no use for.
    static func check(_ reconstruction: Reconstruction, for granularity: Granularity.Name) throws {
        try require(
            reconstruction != .ridge || granularity.space == .channels, "reconstruction",
            got: "'\(reconstruction.rawValue)'",
            expected: "none or least-squares with granularity '\(granularity.rawValue)': "
                + "it repairs the loss of channels")
    }

    /// Refuses what cannot be had where masks have this granularity.
    public func check(for granularity: Granularity.Name) throws {
        try Self.check(reconstruction, for: granularity)
        try require(
            teaching.featureDistillation == 0 || granularity != .level, "feature_distillation",
            got: teaching.featureDistillation,
            expected: "0 with granularity 'level': a plain model does not say which channels it has left")
    }

    public func check(hasTeacher: Bool) throws {
        let kind = generation.generated
        guard hasTeacher || kind == .none else {
            throw RequestError.conflict(
                "recovery.generated is '\(kind.rawValue)', but there is no teacher to draw them: give --teacher")
        }
        guard kind == .none else { return }
        let asked = teaching.weights.first { $0.weight > 0 }
        if hasTeacher, asked == nil {
            let keys = teaching.weights.map { "recovery.\($0.key)" }
            throw RequestError.conflict(
                "a teacher is given, but \(keys.dropLast().joined(separator: ", ")) and \(keys[keys.count - 1]) are 0: "
                    + "expected a weight above 0")
        }
        if !hasTeacher, let asked {
            throw RequestError.conflict(
                "recovery.\(asked.key) is \(asked.weight.plain), but there is no teacher to imitate: give --teacher")
        }
    }

    // MARK: one section

    private enum CodingKeys: String, CodingKey { case reconstruction }

    /// The keys that say nothing of fine-tuning.
    public static let repairKeys: Set<String> = [CodingKeys.reconstruction.rawValue]

    public init(from decoder: any Decoder) throws {
        teaching = try TeachingConfiguration(from: decoder)
        generation = try GenerationConfiguration(from: decoder)
        reconstruction = try decoder.container(keyedBy: CodingKeys.self)
            .decode(Reconstruction.self, forKey: .reconstruction)
    }

    public func encode(to encoder: any Encoder) throws {
        try teaching.encode(to: encoder)
        try generation.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(reconstruction, forKey: .reconstruction)
    }
}
