import Configuration
import Datasets
import Files
import Foundation
import ModelFolders
import Pruning
import PruningMethods

/// Everything that defines a pruning run of a denoising model.
public typealias PruningRunConfiguration = PruningRunSettings<Pipeline>

/// Everything that defines a pruning run.
public struct PruningRunSettings<Model: TrainableModel>: Sendable {
    public var method: String
    /// The method's own settings, resolved; keys in camelCase.
    var methodSettings: JSONValue
    public var pruning: PruningConfiguration
    public var finetuning: Model.Training
    public var recovery: Model.Recovery
    public var data: DataConfiguration
    /// Whether the run was cut down to what can be done without images, as none were given and none asked for.
    public let isWithoutImages: Bool

    /// What prunes unless a method is named.
    public static var usualMethod: String { GradientFlow.card.name }
    /// The same where there are no images: it looks at weights alone.
    public static var methodWithoutImages: String { Magnitude.card.name }

    static var sections: [String] { ["method", "pruning", "finetuning", "recovery", "data"] }

    /// Fine-tuning starts gentler and is shorter than training.
    public static var finetuningDefaults: Model.Training { .finetuningDefaults }

    /// Without images, and where nothing is said of fine-tuning, a method that needs none prunes without fine-tuning.
    ///
    /// - Parameters:
    ///   - file: sections `method` (`name` and the method's settings), `pruning`, `finetuning`, `recovery`, `data`; nil
    ///     for defaults.
    ///   - overrides: "section.key=value", applied in order.
    ///   - method: takes the place of the file's.
    ///   - target: takes the place of the file's.
    ///   - ratios: path of a file that takes the place of the file's.
    ///   - data: path that takes the place of the file's.
    public init(
        file: URL?, overrides: [String] = [], method: String? = nil, target: String? = nil, ratios: String? = nil,
        data: String? = nil
    ) throws {
        try self.init(
            ConfigurationDocument(file: file, overrides: overrides, sections: Self.sections, defaults: Self.defaults),
            method: method, target: target, ratios: ratios, data: data)
    }

    /// The same of sections that are part of something larger; `source` is what errors call it.
    init(tree: JSONValue, source: String) throws {
        try self.init(
            ConfigurationDocument(tree: tree, source: source, sections: Self.sections, defaults: Self.defaults))
    }

    private init(
        _ document: ConfigurationDocument, method: String? = nil, target: String? = nil, ratios: String? = nil,
        data: String? = nil
    ) throws {
        var images: DataConfiguration = try document.section("data")
        if let data { images.path = data }
        // A seed says how, not whether.
        let isBare =
            try images.path.isEmpty && document.keysSet(in: "finetuning").isSubset(of: ["seed"])
            && document.keysSet(in: "recovery").isSubset(of: Model.Recovery.repairKeys)
        let name =
            try method ?? document.text("method", "name")
            ?? (isBare ? Self.methodWithoutImages : Self.usualMethod)
        let entry = try MethodCatalog.entry(named: name)
        isWithoutImages = isBare && !entry.needs.takesData && !entry.card.needsTraining
        // Settings in the file belong to the file's method: another one named beside it starts from its own defaults,
        // and what is set beside it is meant for it.
        let isFilesMethod = try document.text("method", "name").map { $0 == name } ?? true
        methodSettings = try (isFilesMethod ? document : document.overridesAlone(of: "method"))
            .values("method", defaults: entry.defaultConfiguration(), ignoring: ["name"])
        let settings = methodSettings
        _ = try document.reading("method") { try entry.make(settings, 0) }
        self.method = name
        var pruning: PruningConfiguration = try document.section("pruning")
        if let target { pruning.target = target }
        if let ratios { pruning.ratios = .file(ratios) }
        pruning.ratios = try document.reading("pruning") { [pruning] in try pruning.ratios?.read() }
        self.pruning = try document.reading("pruning") { [pruning] in
            try pruning.validate()
            return try pruning.resolved(for: entry.card)
        }
        let recovery = try document.section("recovery", defaults: Model.Recovery.defaults(in: document))
        self.recovery = try document.reading("recovery") { [pruning = self.pruning, images] in
            try pruning.granularity.map(recovery.check)
            return try recovery.resolved(hasData: !images.path.isEmpty)
        }
        finetuning = try document.section("finetuning", defaults: Self.finetuningDefaults)
        if isWithoutImages { finetuning.steps = 0 }
        self.data = images
    }

    /// What the sections hold unless something is said, for errors to find keys in.
    private static var defaults: JSONValue {
        get throws {
            [
                "method": ["name": .string(usualMethod)],
                "pruning": try JSONValue(snakeCasing: PruningConfiguration()),
                "finetuning": try JSONValue(snakeCasing: finetuningDefaults),
                "recovery": try JSONValue(snakeCasing: Model.Recovery()),
                "data": try JSONValue(snakeCasing: DataConfiguration()),
            ]
        }
    }

    /// Every section with all its keys.
    var values: JSONValue {
        get throws {
            [
                "method": methodSettings.snakeCased.overlaid(with: ["name": .string(method)]),
                "pruning": try JSONValue(snakeCasing: pruning), "finetuning": try JSONValue(snakeCasing: finetuning),
                "recovery": try JSONValue(snakeCasing: recovery), "data": try JSONValue(snakeCasing: data),
            ]
        }
    }

    public var yaml: String { get throws { try values.yaml } }
}
