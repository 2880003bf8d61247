import Configuration
import Datasets
import Files
import Foundation
import Runs

/// Everything that defines a study of a denoising model.
public typealias StudyConfiguration = StudySettings<StudyEvaluation>

/// Everything that defines a study: methods × targets × seeds, pruned, fine-tuned and compared with the dense model in
/// one way.
public struct StudySettings<Evaluation: StudyComparing>: Sendable {
    public typealias Model = Evaluation.Model

    public var study: StudyPlan
    public var evaluation: Evaluation
    /// By the name of a method, or another name: sections of a pruning run that are laid over what all have. The
    /// method of another name is its `method.name`.
    let variants: [String: JSONValue]
    /// The method that each name of the study stands for.
    private(set) var methods: [String: String] = [:]
    /// What all runs have: the sections `pruning`, `finetuning`, `recovery` and `data`.
    private var common: [String: JSONValue]
    private let source: String

    private static var shared: [String] { ["pruning", "finetuning", "recovery", "data"] }

    /// - Parameters:
    ///   - file: sections `study`, `evaluation`, `variants`, and those of a pruning run but `method`; nil for defaults.
    ///   - overrides: "section.key=value", applied in order.
    ///   - data: path that takes the place of the file's.
    ///   - adjust: what flags change of the section `study`.
    public init(
        file: URL?, overrides: [String] = [], data: String? = nil, adjust: (inout StudyPlan) throws -> Void = { _ in }
    ) throws {
        let defaults: JSONValue = [
            "study": try JSONValue(snakeCasing: StudyPlan()),
            "evaluation": try JSONValue(snakeCasing: Evaluation()),
            "pruning": try JSONValue(snakeCasing: PruningConfiguration()),
            "finetuning": try JSONValue(snakeCasing: Model.Training.finetuningDefaults),
            "recovery": try JSONValue(snakeCasing: Model.Recovery()),
            "data": try JSONValue(snakeCasing: DataConfiguration()),
        ]
        let document = try ConfigurationDocument(
            file: file, overrides: overrides, sections: ["study", "evaluation", "variants"] + Self.shared,
            defaults: defaults)
        source = document.source
        var study: StudyPlan = try document.section("study")
        try adjust(&study)
        self.study = study
        try document.reading("study") { try study.validate() }
        for (key, list, flag) in [("methods", study.methods, "--methods"), ("targets", study.targets, "--targets")]
        where list.isEmpty {
            throw RequestError.conflict("study.\(key) is empty: expected at least one (\(flag), or a configuration)")
        }
        evaluation = try document.section("evaluation")
        var images: DataConfiguration = try document.section("data")
        if let data { images.path = data }
        var pruning: PruningConfiguration = try document.section("pruning")
        pruning.ratios = try document.reading("pruning") { [pruning] in try pruning.ratios?.read() }
        let finetuning = try document.section("finetuning", defaults: Model.Training.finetuningDefaults)
        let recovery = try document.section("recovery", defaults: Model.Recovery.defaults(in: document))
        common = [
            "pruning": try JSONValue(snakeCasing: pruning), "finetuning": try JSONValue(snakeCasing: finetuning),
            "recovery": try JSONValue(snakeCasing: recovery), "data": try JSONValue(snakeCasing: images),
        ]
        variants = try Self.variants(document.raw("variants"), source: document.source)
        try evaluation.refuseFeaturesWithoutData(images)
        // Each as it will run: a mistake in the last method is not found when the others are done.
        for cell in cells { methods[cell.name] = try run(of: cell).method }
    }

    private static func variants(_ section: JSONValue?, source: String) throws -> [String: JSONValue] {
        guard let section, section != .null else { return [:] }
        guard case .object(let members) = section else {
            throw ConfigurationError.invalid(
                source: source, key: "variants", got: section.summary, expected: "names with sections of a pruning run")
        }
        for (name, value) in members {
            guard case .object = value else {
                throw ConfigurationError.invalid(
                    source: source, key: "variants.\(name)", got: value.summary,
                    expected: "sections of a pruning run: \(PruningRunSettings<Model>.sections.joined(separator: ", "))"
                )
            }
            try require(StudyPlan.isName(name), "variants", got: "'\(name)'", expected: StudyPlan.nameRule)
        }
        return members
    }

    /// Where the images lie.
    public var data: DataConfiguration {
        get throws { try (common["data"] ?? [:]).camelCased.decoded(as: DataConfiguration.self) }
    }

    /// The same study of images elsewhere.
    public mutating func setDataPath(_ path: String) {
        common["data"] = common["data"]?.overlaid(with: ["path": .string(path)])
    }

    /// Every run of the study: all methods of a target and seed, then the next.
    public var cells: [StudyCell] {
        study.seedNumbers.flatMap { seed in
            study.targets.flatMap { target in
                study.methods.map { StudyCell(name: $0, target: target, seed: seed) }
            }
        }
    }

    /// A run's configuration.
    ///
    /// - Parameter steps: of fine-tuning; nil for the study's own.
    /// - Throws: as `PruningRunSettings`; `UnknownName` where a name is of no method.
    func run(of cell: StudyCell, steps: Int? = nil) throws -> PruningRunSettings<Model> {
        var tree = JSONValue.object(common)
        if let variant = variants[cell.name] { tree = tree.overlaid(with: variant) }
        if tree["method"]?["name"] == nil { tree = tree.overlaid(with: ["method": ["name": .string(cell.name)]]) }
        var finetuning: [String: JSONValue] = ["seed": .int(cell.seed)]
        if let steps { finetuning["steps"] = .int(steps) }
        tree = tree.overlaid(with: [
            "pruning": ["seed": .int(cell.seed), "target": .string(cell.target)],
            "finetuning": .object(finetuning),
        ])
        do {
            return try PruningRunSettings<Model>(tree: tree, source: source)
        } catch let error as ConfigurationError where variants[cell.name] != nil {
            throw StudyError.badVariant(cell.name, reason: "\(error)")
        }
    }

    /// Every section with all its keys.
    var values: JSONValue {
        get throws {
            let own: [String: JSONValue] = [
                "study": try JSONValue(snakeCasing: study), "evaluation": try JSONValue(snakeCasing: evaluation),
                "variants": .object(variants),
            ]
            return .object(common.merging(own) { $1 })
        }
    }

    public var yaml: String { get throws { try values.yaml } }
}

/// One run of a study.
public struct StudyCell: Sendable, Hashable {
    /// A method's, or a variant's.
    public let name: String
    public let target: String
    public let seed: Int

    public init(name: String, target: String, seed: Int) {
        self.name = name
        self.target = target
        self.seed = seed
    }

    /// "magnitude, macs=0.5, seed 1".
    public var title: String { "\(name), \(target), seed \(seed)" }

    /// Within the study's folder.
    func folder(in study: URL) -> URL {
        study.appendingPathComponent("runs").appendingPathComponent(name).appendingPathComponent(target)
            .appendingPathComponent("seed-\(seed)")
    }
}
