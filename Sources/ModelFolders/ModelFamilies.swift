import Files
import Foundation

/// Every kind of model there is. Adding one takes a type and a line here.
public enum ModelFamilies {
    public static let all: [any ModelFamily.Type] = [
        PipelineFolder.self, ImageClassifierFolder.self, FeatureClassifierFolder.self,
    ]

    /// The folder at `url` as one of its family, by the class that its configuration names; nothing else is read. The
    /// folder of a finished run stands for the model in it.
    ///
    /// - Parameters:
    ///   - url: a model folder, or that of a finished run.
    ///   - variant: which variant of the weights is meant, as "fp16"; nil for the ordinary ones, or the only ones.
    ///   - families: those that come into question.
    /// - Throws: `StorageError`; `ModelFolderError` where it is no model, or one of a class that is not known.
    public static func folder(
        at url: URL, variant: String? = nil, among families: [any ModelFamily.Type] = all
    ) throws -> any ModelFamily {
        try ModelFolder(url).check()
        let url = try ModelFolder.located(url, with: paths(of: families))
        var unknown: ModelFolderError?
        for family in families {
            switch try match(family, url) {
            case .fits: return try make(family, url, variant)
            case .another(let file, let name):
                unknown = .unsupportedClass(
                    path: file.path, got: name,
                    expected: names(of: families).map { "'\($0)'" }.joined(separator: " or "))
            case .nothing: continue
            }
        }
        throw unknown
            ?? .notAModel(
                path: url.path, reason: "there is none of \(paths(of: families).joined(separator: ", ")) in it")
    }

    private enum Match {
        /// There is a configuration that names a class of the family, or none where the family does without.
        case fits
        case another(file: URL, name: String)
        case nothing
    }

    private static func match<Family: ModelFamily>(_: Family.Type, _ url: URL) throws -> Match {
        guard let file = ModelFolder(url).first(of: Family.configurationPaths) else { return .nothing }
        guard let name = ModelFolder.className(in: try JSONFile.read(file)) else {
            return Family.takesUnnamed ? .fits : .nothing
        }
        return Family.classNames.contains(name) ? .fits : .another(file: file, name: name)
    }

    private static func names(of families: [any ModelFamily.Type]) -> [String] {
        func names<Family: ModelFamily>(_: Family.Type) -> [String] { Family.classNames }
        return families.flatMap { names($0) }
    }

    private static func paths(of families: [any ModelFamily.Type]) -> [String] {
        func paths<Family: ModelFamily>(_: Family.Type) -> [String] { Family.configurationPaths }
        return families.flatMap { paths($0) }.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    }

    private static func make<Family: ModelFamily>(
        _: Family.Type, _ url: URL, _ variant: String?
    ) throws -> any ModelFamily {
        try Family(url).reading(variant: variant)
    }

    /// Loads a model of any of these families.
    /// - Throws: as `folder(at:among:)` and the family's `load`.
    public static func load(_ url: URL, among families: [any ModelFamily.Type] = all) throws -> any StoredModel {
        try stored(in: folder(at: url, among: families))
    }

    private static func stored(in folder: some ModelFamily) throws -> any StoredModel { try folder.load() }
}
