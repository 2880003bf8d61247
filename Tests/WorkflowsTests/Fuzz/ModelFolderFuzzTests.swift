import Files
import Foundation
import ModelFolders
import TestSupport
import Runs
import Testing

@testable import Workflows

/// Model folders whose JSON files say what they like: they load or are refused.
@Suite struct ModelFolderFuzzTests {
    private func withPrunedModel(_ body: (URL) throws -> Void) throws {
        let configuration = try PruningRunConfiguration(
            file: nil, overrides: ["finetuning.steps=0"], method: "magnitude", target: "macs=0.6")
        try withTemporaryFolder(inMemory: true) { folder in
            func prune(_ model: URL, to name: String) throws -> URL {
                let output = folder.appendingPathComponent(name)
                return try PruningWorkflow(
                    configuration, pipeline: PipelineFolder(model).load(), in: RunContext(output: output)
                ).run().modelURL
            }
            // Twice, so that there is a history.
            try body(prune(prune(Fixtures.url("unet/plain"), to: "a"), to: "b"))
        }
    }

    @Test(arguments: ["unet/config.json", "scheduler/scheduler_config.json", "pruning.json", "model_index.json"])
    func anyDocumentLoadsOrIsRefused(file: String) throws {
        try withPrunedModel { model in
            let url = model.appendingPathComponent(file)
            let document = try JSONFile.read(url)
            var (loaded, refused) = (0, 0)
            let before = Hostile.peakMemory ?? 0
            for variant in Hostile.variants(of: document) {
                let text = try variant.text(.compact)
                try Data(text.utf8).write(to: url)
                let loads = Hostile.survives("\(file): \(text.prefix(2000))") {
                    _ = try ModelInformation(PipelineFolder(model))
                }
                if loads { loaded += 1 } else { refused += 1 }
            }
            let growth = (Hostile.peakMemory ?? 0) - before
            print("FUZZ \(file) loaded \(loaded) refused \(refused) memory +\(growth >> 20) MiB")
            // model_index.json says nothing that the other files do not.
            #expect(loaded > 20 && (refused > 100 || file == "model_index.json"))
            #expect(growth < 2 << 30)
        }
    }

    /// Any number of any file may be what Python writes of one that is not finite.
    @Test(arguments: ["unet/config.json", "scheduler/scheduler_config.json", "pruning.json"])
    func numbersThatAreNotFiniteAreRefusedOrUnread(file: String) throws {
        try withPrunedModel { model in
            let url = model.appendingPathComponent(file)
            let document = try #require(try JSONFile.read(url).objectValue)
            var refused: Set<String> = []
            for key in document.keys.sorted() {
                for number in [Double.nan, .infinity, -.infinity] {
                    var changed = document
                    changed[key] = .double(number)
                    try JSONFile.write(.object(changed), to: url, style: .foreign)
                    let loads = Hostile.survives("\(file): \(key) \(number)") {
                        _ = try ModelInformation(PipelineFolder(model))
                    }
                    if !loads { refused.insert(key) }
                }
            }
            // What tells the version, and what is read of other methods or schedulers only, may be anything.
            #expect(refused.count >= document.count - 4, "\(Set(document.keys).subtracting(refused))")
        }
    }
}
