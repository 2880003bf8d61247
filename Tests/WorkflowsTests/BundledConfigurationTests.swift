import TestSupport
import Foundation
import PruningMethods
import Testing

@testable import Workflows

/// The files in configs/: every key legal, every value in range, every method there.
@Suite struct BundledConfigurationTests {
    private static let folder = Repository.url("configs")
    /// Paths within the folder.
    static let names = ((try? FileManager.default.subpathsOfDirectory(atPath: folder.path)) ?? [])
        .filter { $0.hasSuffix(".yaml") }.sorted()

    private static func text(_ name: String) throws -> String {
        try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
    }

    /// What a run stores as its `config.yaml`.
    private static func resolved(_ file: URL, named name: String) throws -> String {
        let sections = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        if ClassifierTrainingRunConfiguration.isMeant(by: file, overrides: []) {
            return try ClassifierTrainingRunConfiguration(file: file).yaml
        }
        if sections.contains("model:") { return try TrainingRunConfiguration(file: file).yaml }
        if sections.contains("study:") {
            // What it is of is the model's to say, which is not there.
            return name.contains("/classifier")
                ? try StudySettings<ClassifierStudyEvaluation>(file: file).yaml
                : try StudyConfiguration(file: file).yaml
        }
        if sections.contains("law:") { return try LawConfiguration(file: file).yaml }
        return try PruningRunConfiguration(file: file).yaml
    }

    @Test(arguments: names.filter { !$0.hasSuffix("features.yaml") }) func isReadWhole(name: String) throws {
        let resolved = try Self.resolved(Self.folder.appendingPathComponent(name), named: name)
        try withTemporaryFolder { folder in
            let copy = folder.appendingPathComponent("copy.yaml")
            try resolved.write(to: copy, atomically: true, encoding: .utf8)
            #expect(try Self.resolved(copy, named: name) == resolved)
        }
    }

    @Test(arguments: names) func saysWhenToUseIt(name: String) throws {
        let comment = try Self.text(name).prefix { $0 != "\n" }
        #expect(comment.hasPrefix("# "))
        #expect(try Self.text(name).localizedCaseInsensitiveContains("use it"))
    }

    @Test func everyMethodHasOne() {
        #expect(MethodCatalog.all.map(\.card.name).filter { !Self.names.contains("methods/\($0).yaml") } == [])
    }

    @Test(arguments: MethodCatalog.all.map(\.card.name)) func theFileOfAMethodNamesIt(method: String) throws {
        let file = Self.folder.appendingPathComponent("methods/\(method).yaml")
        #expect(try PruningRunConfiguration(file: file).method == method)
    }

    /// The two studies of the catalogue leave none out.
    @Test func everyMethodIsInAStudy() throws {
        let studies = try ["channels", "weights"].flatMap {
            try StudyConfiguration(file: Self.folder.appendingPathComponent("studies/\($0).yaml")).study.methods
        }
        #expect(Set(MethodCatalog.all.map(\.card.name)).isSubset(of: studies))
    }

    /// Without its file the quick start does the same.
    @Test func theQuickStartsBuiltInSettingsAreItsFiles() throws {
        let file = try PruningRunConfiguration(
            file: Self.folder.appendingPathComponent("quickstart.yaml"), data: "images")
        let builtIn = try PruningRunConfiguration(file: nil, overrides: QuickstartWorkflow.defaults, data: "images")
        #expect(try file.yaml == builtIn.yaml)
    }
}
