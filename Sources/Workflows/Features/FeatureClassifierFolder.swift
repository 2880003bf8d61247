import Evaluation
import Files
import Foundation
import ModelFolders
import WeightFiles

/// A feature classifier on disk: `config.json` (architecture, class names, what it was trained on, its accuracy) beside
/// `model.safetensors` (convolutions `[out, in, kh, kw]`, linear layers `[out, in]`).
public struct FeatureClassifierFolder {
    public let url: URL

    static let configurationName = "config.json"
    static let weightsName = "model.safetensors"
    private static let kind = "feature-classifier"
    private static let schema = 1

    public init(_ url: URL) { self.url = url }

    /// Reads and checks everything: configuration, then names, shapes and finiteness of all weights.
    /// - Throws: `StorageError` or `SafetensorsError` for a file that is missing or damaged, `PipelineError` for contents
    ///   that do not fit.
    public func load() throws -> FeatureClassifier {
        let classifier = try readConfiguration()
        try loadWeights(into: classifier)
        return classifier
    }

    /// Writes the folder whole or not at all; one that is there is replaced.
    /// - Throws: `StorageError`.
    public func save(_ classifier: FeatureClassifier) throws {
        try AtomicFolder.write(to: url) { folder in
            guard case .object(var members) = try JSONValue(encoding: classifier.configuration) else { return }
            members["kind"] = .string(Self.kind)
            members["schema"] = .int(Self.schema)
            try JSONFile.write(.object(members), to: folder.appendingPathComponent(Self.configurationName))
            let tensors = classifier.parameters.map {
                NamedTensor($0.name, shape: $0.fileShape, floats: $0.fileValues(of: $0.variable.value))
            }
            try SafetensorsWriter.write(
                tensors, metadata: ["format": "pt"], to: folder.appendingPathComponent(Self.weightsName))
        }
    }

    private func readConfiguration() throws -> FeatureClassifier {
        let file = url.appendingPathComponent(Self.configurationName)
        let json = try JSONFile.read(file)
        guard json["kind"]?.stringValue == Self.kind else {
            throw PipelineError.configuration(
                path: file.path,
                reason:
                    "not a feature classifier: 'kind' is \(json["kind"]?.summary ?? "missing"), expected '\(Self.kind)'"
            )
        }
        guard json["schema"]?.intValue == Self.schema else {
            throw PipelineError.configuration(
                path: file.path, reason: "'schema' is \(json["schema"]?.summary ?? "missing"), expected \(Self.schema)")
        }
        do {
            return try FeatureClassifier(try json.decoded(as: FeatureClassifierConfiguration.self))
        } catch let error as SettingError {
            throw PipelineError.configuration(path: file.path, reason: "\(error)")
        }
    }

    private func loadWeights(into classifier: FeatureClassifier) throws {
        let weights = try SafetensorsFile(contentsOf: url.appendingPathComponent(Self.weightsName))
        let path = weights.url.path
        let expected = Set(classifier.parameters.map(\.name))
        let missing = classifier.parameters.map(\.name).filter { !weights.contains($0) }
        if let first = missing.first {
            throw PipelineError.missingTensor(path: path, name: first, more: missing.count - 1)
        }
        let extra = weights.names.filter { !expected.contains($0) }
        if let first = extra.first {
            throw PipelineError.extraTensor(path: path, name: first, more: extra.count - 1)
        }
        for parameter in classifier.parameters {
            let shape = try weights.shape(of: parameter.name)
            guard shape == parameter.fileShape else {
                throw PipelineError.wrongShape(
                    path: path, name: parameter.name, got: shape, expected: parameter.fileShape)
            }
            let values = try weights.floats(parameter.name)
            guard values.allSatisfy(\.isFinite) else {
                throw PipelineError.notFinite(path: path, name: parameter.name)
            }
            parameter.load(fileValues: values)
        }
    }
}
