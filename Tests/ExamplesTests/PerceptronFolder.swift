import Files
import Foundation
import ModelFolders

/// A perceptron on disk: `config.json` (class and width before any pruning) beside `model.safetensors`, and
/// `pruning.json` where it was pruned.
struct PerceptronFolder: ModelFamily {
    /// What is known of a perceptron.
    struct Model: StoredModel {
        let model: Perceptron
        var pruning: PruningRecord?
        var warnings: [String] { [] }

        var width: Int { model.channelGroups[0].originalWidth }
        var settings: [String: JSONValue] { ["width": .int(width)] }
        var facts: [String: JSONValue] { ["hidden_width": .int(width)] }
        var summary: [(title: String, text: String)] { [("hidden layer", "\(width) channels before any pruning")] }
    }

    static let classNames = ["perceptron"]
    static let configurationPaths = [ModelFolder.configurationName]

    let url: URL
    var weightsFile: URL { url.appendingPathComponent("model.safetensors") }

    init(_ url: URL) { self.url = url }

    func load() throws -> Model {
        let file = url.appendingPathComponent(ModelFolder.configurationName)
        let record = try ModelFolder(url).readRecord()
        let model = try ModelFolder.reading(file) { json in
            try ModelFolder.checkClass(of: json, isOneOf: Self.classNames, in: file)
            let width = json["width"]?.intValue ?? 0
            try require((1...4096).contains(width), "width", got: width, expected: "1...4096")
            return try Perceptron(width: width, keeping: record?.keptChannels ?? [:])
        }
        try WeightFolder(of: weightsFile).open().load(into: model.parameters)
        return Model(model: model, pruning: record)
    }

    func save(_ stored: Model) throws {
        try AtomicFolder.write(to: url) { folder in
            try JSONFile.write(
                ["_class_name": .string(Self.classNames[0]), "width": .int(stored.width)],
                to: folder.appendingPathComponent(ModelFolder.configurationName))
            try WeightFolder(of: folder.appendingPathComponent(weightsFile.lastPathComponent)).write(
                stored.model.parameters, compact: stored.pruning?.achieved.weights != nil)
            try ModelFolder(folder).write(stored.pruning)
        }
    }
}
