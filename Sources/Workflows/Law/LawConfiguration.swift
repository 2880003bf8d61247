import Configuration
import Datasets
import Files
import Foundation
import PruningMethods

/// Everything that defines a pressure law: runs of `hyperflows` that differ in nothing but their constant pressure.
public struct LawConfiguration: Sendable {
    public let law: LawPlan
    /// The sections of a pruning run, as all runs have them.
    private var common: [String: JSONValue]
    private let source: String

    /// - Parameters:
    ///   - file: sections `law` and those of a pruning run; nil for defaults.
    ///   - overrides: "section.key=value", applied in order.
    ///   - model: takes the place of the file's.
    ///   - data: path that takes the place of the file's.
    /// - Throws: `ConfigurationError`, `SettingError`, `StorageError`; what the sections say to their values.
    public init(file: URL?, overrides: [String] = [], model: String? = nil, data: String? = nil) throws {
        var pruning = PruningConfiguration()
        // Pressure acts on every step.
        pruning.softFraction = 1
        let finetuning = PruningRunConfiguration.finetuningDefaults
        let sections = ["law"] + PruningRunConfiguration.sections
        let document = try ConfigurationDocument(
            file: file, overrides: overrides, sections: sections,
            defaults: [
                "law": try JSONValue(snakeCasing: LawPlan()),
                "method": try JSONValue(snakeCasing: HyperflowsConfiguration()),
                "pruning": try JSONValue(snakeCasing: pruning),
                "finetuning": try JSONValue(snakeCasing: finetuning),
                "recovery": try JSONValue(snakeCasing: RecoveryConfiguration()),
                "data": try JSONValue(snakeCasing: DataConfiguration()),
            ])
        source = document.source
        var law: LawPlan = try document.section("law")
        if let model { law.model = model }
        self.law = law
        var images: DataConfiguration = try document.section("data")
        if let data { images.path = data }
        let own: PruningConfiguration = try document.section("pruning", defaults: pruning)
        try document.reading("pruning") {
            try require(
                own.softFraction == 1, "soft_fraction", got: own.softFraction,
                expected: "1 in a law, whose pressure acts on every step")
        }
        let method = try document.raw("method") ?? [:]
        try document.reading("method") { try Self.check(method) }
        common = [
            "method": method.overlaid(with: ["name": .string(Hyperflows.card.name), "regrowth_epochs": 0]),
            "pruning": try JSONValue(snakeCasing: own),
            "finetuning": try JSONValue(snakeCasing: document.section("finetuning", defaults: finetuning)),
            "recovery": try JSONValue(
                snakeCasing: document.section("recovery", defaults: RecoveryConfiguration.defaults(in: document))),
            "data": try JSONValue(snakeCasing: images),
        ]
        // As they will run: a mistake is not found when half of them are done.
        _ = try wanted
    }

    /// Refuses what a law has decided.
    private static func check(_ method: JSONValue) throws {
        let name = method["name"] ?? .string(Hyperflows.card.name)
        try require(
            name == .string(Hyperflows.card.name), "name", got: name.summary,
            expected: "'\(Hyperflows.card.name)', whose law it is")
        let pressure = method["constant_pressure"] ?? 0
        try require(
            pressure == 0 || pressure == 0.0, "constant_pressure", got: pressure.summary,
            expected: "nothing: law.lowest, law.highest and law.points say it")
        let regrowth = method["regrowth_epochs"] ?? 0
        try require(
            regrowth == 0, "regrowth_epochs", got: regrowth.summary, expected: "0 in a law, which is that of pressure")
    }

    /// Where the images lie.
    public var data: DataConfiguration {
        get throws { try (common["data"] ?? [:]).camelCased.decoded(as: DataConfiguration.self) }
    }

    /// The same law of images elsewhere.
    public mutating func setDataPath(_ path: String) {
        common["data"] = common["data"]?.overlaid(with: ["path": .string(path)])
    }

    /// A run's configuration.
    ///
    /// - Parameter pressure: γ_eff, above 0.
    /// - Throws: as `PruningRunConfiguration`.
    func run(pressure: Double) throws -> PruningRunConfiguration {
        let tree = JSONValue.object(common).overlaid(with: ["method": ["constant_pressure": .double(pressure)]])
        return try PruningRunConfiguration(tree: tree, source: source)
    }

    /// The fraction of the cost that is wanted to be left: what `pruning.target` says.
    /// - Throws: `SettingError` for an amount, which says nothing without the model.
    var wanted: Double {
        get throws {
            let pruning = try run(pressure: law.lowest).pruning
            guard let budget = try pruning.budget(), try !budget.needsModel(in: pruning.unit().space) else {
                throw SettingError(
                    key: "pruning.target", got: pruning.target.map { "'\($0)'" } ?? "ratios",
                    expected: "a share, as sparsity=0.9, which is what a law is of")
            }
            return budget.remaining
        }
    }

    /// Every section with all its keys.
    var values: JSONValue {
        get throws {
            try run(pressure: law.lowest).values.overlaid(with: [
                "law": try JSONValue(snakeCasing: law),
                // What the law sets from run to run.
                "method": ["constant_pressure": 0.0],
            ])
        }
    }

    public var yaml: String { get throws { try values.yaml } }
}
