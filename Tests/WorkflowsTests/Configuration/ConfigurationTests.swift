import Files
import Foundation
import Runs
import Testing
import Workflows

/// Resolved configurations: what a run stores reads back as itself, and overrides come in order.
@Suite struct ConfigurationTests {
    private func file(_ text: String) throws -> URL {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent(
            "configuration-\(UUID().uuidString).yaml")
        try Data(text.utf8).write(to: url)
        return url
    }

    @Test func aStoredPruningConfigurationReadsBackAsItself() throws {
        let first = try PruningRunConfiguration(
            file: nil, overrides: ["method.rounds=7", "finetuning.steps=12", "finetuning.learning_rate=1"],
            method: "gradient-flow", target: "params=0.25", data: "some/where")
        let url = try file(first.yaml)
        defer { try? FileManager.default.removeItem(at: url) }
        let second = try PruningRunConfiguration(file: url)
        #expect(try second.yaml == first.yaml)
        #expect(
            second.finetuning.steps == 12 && second.pruning.target == "params=0.25" && second.data.path == "some/where")
    }

    @Test func laterOverridesWin() throws {
        let configuration = try FinetuningRunConfiguration(
            file: nil, overrides: ["finetuning.steps=3", "finetuning.steps=4"], data: "d", hasTeacher: false)
        #expect(configuration.finetuning.steps == 4)
        let url = try file(configuration.yaml)
        defer { try? FileManager.default.removeItem(at: url) }
        #expect(try FinetuningRunConfiguration(file: url, hasTeacher: false).yaml == configuration.yaml)
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
