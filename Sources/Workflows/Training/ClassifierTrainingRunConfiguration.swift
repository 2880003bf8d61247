import Classification
import Configuration
import Datasets
import Files
import Foundation
import ModelFolders
import Models

/// Everything that defines a training run of a classifier.
public struct ClassifierTrainingRunConfiguration: TrainingPlan {
    public var model: ImageClassifierConfiguration
    public var data: DataConfiguration
    public var training: ClassificationTrainingConfiguration

    private static let sections = ["model", "data", "training"]
    private static let classKey = "_class_name"

    /// Whether the section `model` is that of a classifier.
    ///
    /// - Parameters:
    ///   - file: the configuration.
    ///   - overrides: "section.key=value".
    /// - Returns: false too where the file cannot be read, which reading it as any other says better.
    public static func isMeant(by file: URL, overrides: [String]) -> Bool {
        guard
            let document = try? ConfigurationDocument(
                file: file, overrides: overrides, sections: TrainingRunConfiguration.sections)
        else { return false }
        if (try? document.text("model", classKey)) == ImageClassifierFolder.classNames[0] { return true }
        return (try? document.keysSet(in: "model").contains("architecture")) ?? false
    }

    /// Reads the sections `model` (keys of `config.json`), `data` and `training`.
    ///
    /// - Parameters:
    ///   - file: the configuration.
    ///   - overrides: "section.key=value", applied in order.
    public init(file: URL, overrides: [String] = []) throws {
        let document = try ConfigurationDocument(
            file: file, overrides: overrides, sections: Self.sections,
            defaults: [
                "model": JSONValue(encoding: ImageClassifierConfiguration()),
                "data": JSONValue(snakeCasing: DataConfiguration()),
                "training": JSONValue(snakeCasing: ClassificationTrainingConfiguration()),
            ])
        if let name = try document.text("model", Self.classKey), name != ImageClassifierFolder.classNames[0] {
            throw SettingError(
                key: "model.\(Self.classKey)", got: "'\(name)'", expected: ImageClassifierFolder.classNames[0])
        }
        model = try document.verbatimSection(
            "model", defaults: ImageClassifierConfiguration(), ignoring: [Self.classKey]
        ) { try $0.validate() }
        data = try document.section("data")
        training = try document.section("training")
    }

    public func makeModel() throws -> StoredImageClassifier { StoredImageClassifier(model: try ImageClassifier(model)) }

    public var values: JSONValue {
        get throws {
            [
                "model": try JSONValue(encoding: model), "data": try JSONValue(snakeCasing: data),
                "training": try JSONValue(snakeCasing: training),
            ]
        }
    }
}
