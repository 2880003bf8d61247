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
    ///   - path: of images, that takes the place of the file's.
    ///   - hasTeacher: whether a teacher is given.
    public init(file: URL?, overrides: [String] = [], data path: String? = nil, hasTeacher: Bool) throws {
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
        var data: DataConfiguration = try document.section("data")
        if let path { data.path = path }
        let recovery = try document.section(
            "recovery",
            defaults: RecoveryConfiguration.defaults(in: document, distillation: recoveryDefaults.distillation))
        self.recovery = try document.reading("recovery") { [data] in
            try require(
                recovery.reconstruction == .none, "reconstruction", got: "'\(recovery.reconstruction.rawValue)'",
                expected: "none: nothing leaves that there would be to repair, as in prune")
            return try recovery.resolved(hasData: !data.path.isEmpty)
        }
        self.data = data
        guard finetuning.steps > 0 else {
            throw SettingError(
                key: "finetuning.steps", got: "\(finetuning.steps)", expected: "at least 1")
        }
        try Self.check(self.recovery, hasTeacher: hasTeacher)
    }

    /// A teacher and what it teaches belong together.
    private static func check(_ recovery: RecoveryConfiguration, hasTeacher: Bool) throws {
        let teaching = recovery.teaching
        let kind = recovery.generation.generated
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
