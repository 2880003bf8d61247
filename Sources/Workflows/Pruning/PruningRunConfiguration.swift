import Configuration
import Datasets
import Diffusion
import Files
import Foundation
import Pruning
import PruningMethods

/// Everything that defines a pruning run.
public struct PruningRunConfiguration: Sendable {
    public var method: String
    /// The method's own settings, resolved; keys in camelCase.
    var methodSettings: JSONValue
    public var pruning: PruningConfiguration
    public var finetuning: DenoisingTrainingConfiguration
    public var data: DataConfiguration

    static let sections = ["method", "pruning", "finetuning", "data"]

    /// Fine-tuning starts gentler and is shorter than training.
    public static var finetuningDefaults: DenoisingTrainingConfiguration {
        var defaults = DenoisingTrainingConfiguration()
        defaults.steps = 1000
        defaults.batchSize = 32
        defaults.learningRate = 2e-4
        defaults.ema = 0.999
        return defaults
    }

    /// - Parameters:
    ///   - file: sections `method` (`name` and the method's settings), `pruning`, `finetuning`, `data`; nil for
    ///     defaults.
    ///   - overrides: "section.key=value", applied in order.
    ///   - method: takes the place of the file's.
    ///   - target: takes the place of the file's.
    ///   - data: path that takes the place of the file's.
    public init(
        file: URL?, overrides: [String] = [], method: String? = nil, target: String? = nil, data: String? = nil
    ) throws {
        let document = try ConfigurationDocument(file: file, overrides: overrides, sections: Self.sections)
        let name = try method ?? document.text("method", "name") ?? "gradient-flow"
        let entry = try MethodCatalog.entry(named: name)
        // Settings in the file belong to the file's method: another one named beside it starts from its own defaults.
        let isFilesMethod = try document.text("method", "name").map { $0 == name } ?? true
        methodSettings =
            isFilesMethod
            ? try document.values("method", defaults: entry.defaultConfiguration(), ignoring: ["name"])
            : try entry.defaultConfiguration()
        let settings = methodSettings
        _ = try document.reading("method") { try entry.make(settings, 0) }
        self.method = name
        var pruning: PruningConfiguration = try document.section("pruning")
        if let target { pruning.target = target }
        self.pruning = try document.reading("pruning") {
            try pruning.validate()
            return try pruning.resolved(for: entry.card)
        }
        finetuning = try document.section("finetuning", defaults: Self.finetuningDefaults)
        self.data = try document.section("data")
        if let data { self.data.path = data }
    }

    /// Every section with all its keys.
    var values: JSONValue {
        get throws {
            [
                "method": methodSettings.snakeCased.overlaid(with: ["name": .string(method)]),
                "pruning": try JSONValue(snakeCasing: pruning), "finetuning": try JSONValue(snakeCasing: finetuning),
                "data": try JSONValue(snakeCasing: data),
            ]
        }
    }

    public var yaml: String { get throws { try values.yaml } }
}
