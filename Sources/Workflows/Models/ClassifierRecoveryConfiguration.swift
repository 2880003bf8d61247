import Configuration
import Files
import Pruning
import PruningMethods
import Runs

/// The section `recovery` of a classifier: how it is repaired once it is decided what leaves it, and what it is taught
/// then.
public struct ClassifierRecoveryConfiguration: RecoverySection {
    /// Weight λ of imitating the teacher's logits: (1 − λ)·the loss + λ·imitation.
    public var distillation = 0.0
    /// What logits are divided by before they are compared: the higher, the more the classes count that are not likely.
    public var temperature = 4.0
    /// The repair of the weights of what is left, before anything is removed.
    public var reconstruction = Reconstruction.none

    public init() {}

    public func validate() throws {
        try require((0...1).contains(distillation), "distillation", got: distillation, expected: "in [0, 1]")
        try require(
            temperature > 0 && temperature <= 1000, "temperature", got: temperature, expected: "in (0, 1000]")
    }

    public var drawn: String? { nil }
    public var needsTeacher: Bool { distillation > 0 }
    public var stepCost: (teacher: Double, own: Double) { (needsTeacher ? 1 : 0, 1) }

    public static let repairKeys: Set<String> = ["reconstruction"]

    public static func defaults(in document: ConfigurationDocument, distillation: Double) -> Self {
        var defaults = Self()
        defaults.distillation = distillation
        return defaults
    }

    public func resolved(hasData: Bool) -> Self { self }

    public func check(for granularity: Granularity.Name) throws {
        try RecoveryConfiguration.check(reconstruction, for: granularity)
    }

    public func check(hasTeacher: Bool) throws {
        if hasTeacher, distillation == 0 {
            throw RequestError.conflict(
                "a teacher is given, but recovery.distillation is 0: expected a weight above 0")
        }
        if !hasTeacher, distillation > 0 {
            throw RequestError.conflict(
                "recovery.distillation is \(distillation.plain), but there is no teacher to imitate: give --teacher")
        }
    }
}
