import Files
import Foundation
import Layers
import Models
import WeightFiles

/// An image classifier on disk: `config.json` (class and architecture) beside `model.safetensors` with torchvision's
/// names, and `pruning.json` where it was pruned.
///
/// Counters of batches (`num_batches_tracked`) are passed over and not written: PyTorch does without them, and so does
/// this. timm's name of a VGG's last layer is read too.
public struct ImageClassifierFolder: ModelFamily {
    public let url: URL
    private var variant: String?

    public static let classNames = ["ImageClassifier"]
    public static let configurationPaths = [ModelFolder.configurationName]

    private static let classKey = "_class_name"
    private static let weightsName = "model.safetensors"

    public init(_ url: URL) { self.url = url }

    public func reading(variant: String?) -> ImageClassifierFolder {
        var folder = self
        folder.variant = variant
        return folder
    }

    public func load() throws -> StoredImageClassifier {
        let file = url.appendingPathComponent(ModelFolder.configurationName)
        let record = try ModelFolder(url).readRecord()
        let (configuration, warnings) = try Self.readConfiguration(file)
        let model = try ModelFolder.placing(file) {
            try Parameter.unset { try ImageClassifier(configuration, kept: record?.keptChannels ?? [:]) }
        }
        let loaded = try weightFolder.open().load(
            into: model.parameters, isRecorded: record != nil,
            renaming: {
                $0.hasPrefix("head.fc.") ? "classifier." + $0.dropFirst("head.fc.".count) : $0
            }, ignoring: { $0.hasSuffix(".num_batches_tracked") })
        for parameter in model.parameters where parameter.name.hasSuffix(".running_var") {
            // The root of a negative variance is no number, and would be one only in what comes out.
            guard parameter.variable.value.unsafeBuffer.allSatisfy({ $0 >= 0 }) else {
                throw ModelFolderError.negativeVariance(path: try weightsFile.path, name: parameter.name)
            }
        }
        var stored = StoredImageClassifier(model: model, pruning: record)
        stored.weightTypes = loaded.types
        stored.warnings = warnings + loaded.notes
        return stored
    }

    /// Whether a file is the configuration of a classifier; false too where it cannot be read.
    public static func isConfiguration(_ file: URL) -> Bool {
        guard let json = try? JSONFile.read(file), let name = ModelFolder.className(in: json) else { return false }
        return classNames.contains(name)
    }

    /// Reads a `config.json` by itself.
    /// - Returns: the configuration, and a sentence for each key that was overlooked.
    /// - Throws: `StorageError`, `ModelFolderError`.
    public static func readConfiguration(_ file: URL) throws -> (ImageClassifierConfiguration, warnings: [String]) {
        try ModelFolder.reading(file) { json in
            try ModelFolder.checkClass(of: json, isOneOf: classNames, in: file)
            let known = ImageClassifierConfiguration.knownKeys + [classKey]
            let warnings = (json.sortedMembers ?? []).map(\.key).filter { !known.contains($0) }.map {
                "\(file.path): key \(Quoted($0)) is not known and was ignored" + Spelling.hint(for: $0, among: known)
            }
            return (try json.decoded(as: ImageClassifierConfiguration.self), warnings)
        }
    }

    public func save(_ stored: StoredImageClassifier) throws {
        try AtomicFolder.write(to: url) { folder in
            let configuration = try JSONValue(encoding: stored.model.configuration).overlaid(
                with: [Self.classKey: .string(Self.classNames[0])])
            try JSONFile.write(configuration, to: folder.appendingPathComponent(ModelFolder.configurationName))
            try WeightFolder(of: folder.appendingPathComponent(Self.weightsName)).write(
                stored.model.parameters, as: stored.weightTypes, compact: stored.pruning?.achieved.weights != nil)
            try ModelFolder(folder).write(stored.pruning)
        }
    }

    private var weightFolder: WeightFolder {
        WeightFolder(of: url.appendingPathComponent(Self.weightsName), variant: variant)
    }

    public func variants() throws -> [String] { weightFolder.variants }

    public func weightBytes() throws -> Int { try weightFolder.bytes() }

    public var weightsFile: URL { get throws { url.appendingPathComponent(Self.weightsName) } }
}
