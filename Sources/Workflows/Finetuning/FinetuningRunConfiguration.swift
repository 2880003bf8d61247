import Configuration
import Datasets
import Diffusion
import Files
import Foundation
import Runs

/// Everything that defines a fine-tuning run beside the model.
public struct FinetuningRunConfiguration: Sendable {
    public var finetuning: DenoisingTrainingConfiguration
    public var data: DataConfiguration

    static let sections = ["finetuning", "data"]
    /// Weight of imitating the teacher where one is given and the configuration does not say.
    public static let defaultDistillation = 0.5

    /// Reads the sections `finetuning` and `data`.
    ///
    /// - Parameters:
    ///   - file: nil for defaults.
    ///   - overrides: "section.key=value", applied in order.
    ///   - data: path that takes the place of the file's.
    ///   - hasTeacher: whether a teacher is given.
    public init(file: URL?, overrides: [String] = [], data: String? = nil, hasTeacher: Bool) throws {
        var defaults = PruningRunConfiguration.finetuningDefaults
        defaults.distillation = hasTeacher ? Self.defaultDistillation : 0
        let document = try ConfigurationDocument(
            file: file, overrides: overrides, sections: Self.sections,
            defaults: [
                "finetuning": JSONValue(snakeCasing: defaults), "data": JSONValue(snakeCasing: DataConfiguration()),
            ])
        finetuning = try document.section("finetuning", defaults: defaults)
        self.data = try document.section("data")
        if let data { self.data.path = data }
        guard finetuning.steps > 0 else {
            throw SettingError(
                key: "finetuning.steps", got: "\(finetuning.steps)", expected: "at least 1")
        }
        guard hasTeacher == finetuning.needsTeacher else {
            throw RequestError.conflict(
                hasTeacher
                    ? "a teacher is given, but finetuning.distillation and finetuning.feature_distillation are 0: "
                        + "expected a weight above 0"
                    : finetuning.distillation > 0
                        ? "finetuning.distillation is \(finetuning.distillation.plain), "
                            + "but there is no teacher to imitate: give --teacher"
                        : "finetuning.feature_distillation is \(finetuning.featureDistillation.plain), "
                            + "but there is no teacher to imitate: give --teacher"
            )
        }
    }

    /// Every section with all its keys.
    var values: JSONValue {
        get throws {
            ["finetuning": try JSONValue(snakeCasing: finetuning), "data": try JSONValue(snakeCasing: data)]
        }
    }

    public var yaml: String { get throws { try values.yaml } }
}
