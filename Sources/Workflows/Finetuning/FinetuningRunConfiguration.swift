import Configuration
import Datasets
import Files
import Foundation
import ModelFolders

/// Everything that defines a fine-tuning run of a denoising model beside the model.
public typealias FinetuningRunConfiguration = FinetuningRunSettings<Pipeline>

/// Everything that defines a fine-tuning run beside the model.
public struct FinetuningRunSettings<Model: TrainableModel>: Sendable {
    public var finetuning: Model.Training
    public var recovery: Model.Recovery
    public var data: DataConfiguration

    static var sections: [String] { ["finetuning", "recovery", "data"] }
    /// Weight of imitating the teacher where one is given and the configuration does not say.
    public static var defaultDistillation: Double { 0.5 }

    /// Reads the sections `finetuning`, `recovery` and `data`.
    ///
    /// - Parameters:
    ///   - file: nil for defaults.
    ///   - overrides: "section.key=value", applied in order.
    ///   - path: of images, that takes the place of the file's.
    ///   - hasTeacher: whether a teacher is given.
    public init(file: URL?, overrides: [String] = [], data path: String? = nil, hasTeacher: Bool) throws {
        let defaults = Model.Training.finetuningDefaults
        let distillation = hasTeacher ? Self.defaultDistillation : 0
        let bare = try ConfigurationDocument(file: nil, sections: Self.sections)
        let document = try ConfigurationDocument(
            file: file, overrides: overrides, sections: Self.sections,
            defaults: [
                "finetuning": JSONValue(snakeCasing: defaults),
                "recovery": JSONValue(snakeCasing: Model.Recovery.defaults(in: bare, distillation: distillation)),
                "data": JSONValue(snakeCasing: DataConfiguration()),
            ])
        finetuning = try document.section("finetuning", defaults: defaults)
        var data: DataConfiguration = try document.section("data")
        if let path { data.path = path }
        let recovery = try document.section(
            "recovery", defaults: Model.Recovery.defaults(in: document, distillation: distillation))
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
        try self.recovery.check(hasTeacher: hasTeacher)
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
