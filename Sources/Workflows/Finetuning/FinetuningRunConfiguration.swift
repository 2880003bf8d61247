import Configuration
import Datasets
import Diffusion
import Files
import Foundation
import Runs

/// Everything that defines a fine-tuning run beside the model.
public struct FinetuningRunConfiguration: Sendable {
    public var finetuning: DenoisingTrainingConfiguration
    public var recovery: RecoveryConfiguration
    public var data: DataConfiguration

    static let sections = ["finetuning", "recovery", "data"]
    /// Weight of imitating the teacher where one is given and the configuration does not say.
    public static let defaultDistillation = 0.5

    /// Reads the sections `finetuning`, `recovery` and `data`.
    ///
    /// - Parameters:
    ///   - file: nil for defaults.
    ///   - overrides: "section.key=value", applied in order.
    ///   - data: path that takes the place of the file's.
    ///   - hasTeacher: whether a teacher is given.
    public init(file: URL?, overrides: [String] = [], data: String? = nil, hasTeacher: Bool) throws {
        let defaults = PruningRunConfiguration.finetuningDefaults
        var recoveryDefaults = RecoveryConfiguration()
        recoveryDefaults.distillation = hasTeacher ? Self.defaultDistillation : 0
        let document = try ConfigurationDocument(
            file: file, overrides: overrides, sections: Self.sections,
            defaults: [
                "finetuning": JSONValue(snakeCasing: defaults), "recovery": JSONValue(snakeCasing: recoveryDefaults),
                "data": JSONValue(snakeCasing: DataConfiguration()),
            ])
        finetuning = try document.section("finetuning", defaults: defaults)
        let recovery = try document.section("recovery", defaults: recoveryDefaults)
        try document.reading("recovery") {
            try require(
                recovery.reconstruction == .none, "reconstruction", got: "'\(recovery.reconstruction.rawValue)'",
                expected: "none: nothing leaves that there would be to repair, as in prune")
        }
        self.recovery = recovery
        self.data = try document.section("data")
        if let data { self.data.path = data }
        guard finetuning.steps > 0 else {
            throw SettingError(
                key: "finetuning.steps", got: "\(finetuning.steps)", expected: "at least 1")
        }
        try Self.check(recovery.teaching, hasTeacher: hasTeacher)
    }

    /// A teacher and what it teaches belong together.
    private static func check(_ teaching: TeachingConfiguration, hasTeacher: Bool) throws {
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

    /// Every section with all its keys.
    var values: JSONValue {
        get throws {
            [
                "finetuning": try JSONValue(snakeCasing: finetuning),
                "recovery": try JSONValue(snakeCasing: recovery), "data": try JSONValue(snakeCasing: data),
            ]
        }
    }

    public var yaml: String { get throws { try values.yaml } }
}
