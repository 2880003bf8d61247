import TestSupport
import Files
import Foundation
import Runs
import Testing
import Workflows

/// Resolved configurations: what a run stores reads back as itself, and overrides come in order.
@Suite struct ConfigurationTests {
    /// Runs `body` with a file that holds `text`.
    private func withFile(_ text: String, _ body: (URL) throws -> Void) throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("config.yaml")
            try Data(text.utf8).write(to: url)
            try body(url)
        }
    }

    @Test func aStoredPruningConfigurationReadsBackAsItself() throws {
        let first = try PruningRunConfiguration(
            file: nil, overrides: ["method.rounds=7", "finetuning.steps=12", "finetuning.learning_rate=1"],
            method: "gradient-flow", target: "params=0.25", data: "some/where")
        try withFile(first.yaml) { url in
            let second = try PruningRunConfiguration(file: url)
            #expect(try second.yaml == first.yaml)
            #expect(second.finetuning.steps == 12)
            #expect(second.pruning.target == "params=0.25" && second.data.path == "some/where")
        }
    }

    @Test func laterOverridesWin() throws {
        let configuration = try FinetuningRunConfiguration(
            file: nil, overrides: ["finetuning.steps=3", "finetuning.steps=4"], data: "d", hasTeacher: false)
        #expect(configuration.finetuning.steps == 4)
        try withFile(configuration.yaml) { url in
            let again = try FinetuningRunConfiguration(file: url, hasTeacher: false)
            #expect(try again.yaml == configuration.yaml)
        }
    }

    @Test func aTeacherAndItsWeightBelongTogether() throws {
        let taught = try FinetuningRunConfiguration(file: nil, data: "d", hasTeacher: true)
        #expect(taught.finetuning.distillation == FinetuningRunConfiguration.defaultDistillation)
        let chosen = try FinetuningRunConfiguration(
            file: nil, overrides: ["finetuning.distillation=0.25"], data: "d", hasTeacher: true)
        #expect(chosen.finetuning.distillation == 0.25)
        #expect(throws: RequestError.self) {
            try FinetuningRunConfiguration(
                file: nil, overrides: ["finetuning.distillation=0"], data: "d", hasTeacher: true)
        }
        #expect(throws: RequestError.self) {
            try FinetuningRunConfiguration(
                file: nil, overrides: ["finetuning.distillation=0.5"], data: "d", hasTeacher: false)
        }
    }

    @Test(arguments: [("trianing", "training"), ("gradient-flw", "gradient-flow"), ("MAGNITUDE", "magnitude")])
    func mistypedNamesAreRecognised(typed: String, meant: String) {
        #expect(Spelling.nearest(to: typed, among: ["training", "gradient-flow", "magnitude", "taylor"]) == meant)
    }

    @Test func nothingIsNearToNonsense() {
        #expect(Spelling.nearest(to: "zzzzzz", among: ["training", "data"]) == nil)
    }
}
