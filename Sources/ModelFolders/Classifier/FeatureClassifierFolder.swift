import Files
import Foundation
import Layers
import Models
import WeightFiles

/// A feature classifier on disk: `config.json` (architecture, class names, what it was trained on, its accuracy) beside
/// `model.safetensors` (convolutions `[out, in, kh, kw]`, linear layers `[out, in]`),
/// and `pruning.json` where it was pruned.
public struct FeatureClassifierFolder: ModelFamily {
    public let url: URL
    private var variant: String?

    public static let classNames = ["feature-classifier"]
    public static let configurationPaths = ["config.json"]

    private static let weightsName = "model.safetensors"
    private static let schema = 1

    public init(_ url: URL) { self.url = url }

    public func reading(variant: String?) -> FeatureClassifierFolder {
        var folder = self
        folder.variant = variant
        return folder
    }

    public func load() throws -> StoredClassifier {
        let file = url.appendingPathComponent(ModelFolder.configurationName)
        let record = try ModelFolder(url).readRecord()
        var warnings: [String] = []
        let model = try ModelFolder.reading(file) { json in
            let (kind, schema) = (json["kind"], json["schema"])
            guard kind?.stringValue == Self.classNames[0] else {
                throw ModelFolderError.configuration(
                    path: file.path,
                    reason: "not a feature classifier: 'kind' is \(kind?.summary ?? "missing"), expected "
                        + "'\(Self.classNames[0])'")
            }
            try require(
                schema?.intValue == Self.schema, "schema", got: schema?.summary ?? "missing",
                expected: "\(Self.schema)")
            let configuration = try json.decoded(as: FeatureClassifierConfiguration.self)
            let known = FeatureClassifierConfiguration.knownKeys + ["kind", "schema"]
            warnings = (json.sortedMembers ?? []).map(\.key).filter { !known.contains($0) }.map {
                "\(file.path): key '\($0)' is not known and was ignored" + Spelling.hint(for: $0, among: known)
            }
            return try Parameter.unset { try FeatureClassifier(configuration, kept: record?.keptChannels ?? [:]) }
        }
        let loaded = try weightFolder.open().load(into: model.parameters, isRecorded: record != nil)
        var stored = StoredClassifier(model: model, pruning: record)
        stored.weightTypes = loaded.types
        stored.warnings = warnings + loaded.notes
        return stored
    }

    public func save(_ stored: StoredClassifier) throws {
        try AtomicFolder.write(to: url) { folder in
            let configuration = try JSONValue(encoding: stored.model.configuration).overlaid(
                with: ["kind": .string(Self.classNames[0]), "schema": .int(Self.schema)])
            try JSONFile.write(configuration, to: folder.appendingPathComponent(ModelFolder.configurationName))
            try WeightFolder(of: folder.appendingPathComponent(Self.weightsName)).write(
                stored.model.parameters, as: stored.weightTypes, compact: stored.pruning?.achieved.weights != nil)
            try ModelFolder(folder).write(stored.pruning)
        }
    }

    private var weightFolder: WeightFolder { WeightFolder(of: weightsFile, variant: variant) }

    public func variants() throws -> [String] { weightFolder.variants }

    public func weightBytes() throws -> Int { try weightFolder.bytes() }

    public var weightsFile: URL { url.appendingPathComponent(Self.weightsName) }
}
