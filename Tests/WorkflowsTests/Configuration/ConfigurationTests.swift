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

    /// The value of a text key is the text given; YAML would cut it, or read something else.
    @Test(arguments: [
        "set #2", "2024", "1e3", "yes", "null", "[x]", "C: x", "~", "a: b", "it's", "*a &b", "#", " ", "{", "0x10",
    ])
    func textIsTakenAsItStands(path: String) throws {
        let configuration = try PruningRunConfiguration(
            file: nil, overrides: ["finetuning.steps=0", "data.path=\(path)"], method: "magnitude")
        #expect(configuration.data.path == path)
        try withFile(configuration.yaml) { url in
            let again = try PruningRunConfiguration(file: url)
            #expect(again.data.path == path)
        }
    }

    @Test func quotesAroundAWholeTextAreLeftOut() throws {
        for (given, path) in [("'set #2'", "set #2"), ("\"a b\"", "a b"), ("'", "'"), ("'a", "'a"), ("a'b'", "a'b'")] {
            let configuration = try FinetuningRunConfiguration(
                file: nil, overrides: ["data.path=\(given)"], hasTeacher: false)
            #expect(configuration.data.path == path)
        }
    }

    /// In a file it is YAML that says what is text.
    @Test func aNumberInAFileIsNotAPath() throws {
        try withFile("data: {path: 2024}") { url in
            #expect { _ = try FinetuningRunConfiguration(file: url, hasTeacher: false) } throws: {
                "\($0)".contains("'data.path' is 2024, expected text (in quotes")
            }
        }
    }

    @Test(arguments: [
        ("finetuning.lr=3", "--set: unknown key 'finetuning.lr', did you mean 'finetuning.learning_rate'?"),
        ("finetuning.warmup_steps=3", "'finetuning.learning_rate_schedule.warm_up_steps'"),
        ("steps=3", "unknown key 'steps', did you mean 'finetuning.steps'?"),
        ("pruning.lr=1", "did you mean 'finetuning.learning_rate'?"), ("prunning.seed=1", "did you mean 'pruning'?"),
        ("finetuning.optimizer.kind=adm", "(did you mean 'adam'?)"),
        ("finetuning.learning_rate=20", "--set: 'finetuning.learning_rate' is 20, expected in (0, 10]"),
        ("method.flow_steps=0", "'method.flow_steps' is 0, expected"),
        ("pruning.block_size=0", "'pruning.block_size' is 0"),
    ])
    func whatIsWrongIsNamedInTheUsersWords(override: String, words: String) {
        #expect { _ = try PruningRunConfiguration(file: nil, overrides: [override], data: "d") } throws: {
            "\($0)".contains(words)
        }
    }

    @Test func withoutImagesAMethodPrunesThatNeedsNone() throws {
        let bare = try PruningRunConfiguration(file: nil, overrides: ["finetuning.seed=3"])
        #expect(bare.isWithoutImages && bare.method == "magnitude" && bare.finetuning.steps == 0)
        let named = try PruningRunConfiguration(file: nil, method: "random")
        #expect(named.isWithoutImages && named.method == "random" && named.finetuning.steps == 0)
        // Its evidence is of the network alone.
        let flow = try PruningRunConfiguration(file: nil, method: "synflow")
        #expect(flow.isWithoutImages && flow.finetuning.steps == 0)
        // What was asked for is not left out in silence: the run will ask for images.
        let asked = try PruningRunConfiguration(file: nil, overrides: ["finetuning.steps=5"])
        #expect(!asked.isWithoutImages && asked.method == "gradient-flow" && asked.finetuning.steps == 5)
        let needy = try PruningRunConfiguration(file: nil, method: "taylor")
        #expect(!needy.isWithoutImages && needy.finetuning.steps == 1000)
        let usual = try PruningRunConfiguration(file: nil, data: "d")
        #expect(!usual.isWithoutImages && usual.method == "gradient-flow" && usual.finetuning.steps == 1000)
    }

    /// A model's config.json, as diffusers writes it.
    @Test func aConfigurationOfDiffusersCanBePasted() throws {
        let runs = try RunFixtures()
        let model = try JSONFile.read(Fixtures.url("unet/plain/unet/config.json"))
        #expect(model["_class_name"] != nil && model["_diffusers_version"] != nil)
        try withFile("model: \(model.text(.compact))\ndata: {path: '\(runs.configuration.path)'}") { url in
            let read = try TrainingRunConfiguration(file: url)
            #expect(read.model.blockOutChannels == [4, 6])
            #expect {
                _ = try TrainingRunConfiguration(file: url, overrides: ["model._class_name=UNet2DConditionModel"])
            } throws: { "\($0)".contains("'model._class_name' is 'UNet2DConditionModel', expected UNet2DModel") }
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

    @Test func featuresNeedATeacherToo() throws {
        #expect {
            try FinetuningRunConfiguration(
                file: nil, overrides: ["finetuning.feature_distillation=0.1"], data: "d", hasTeacher: false)
        } throws: { "\($0)".contains("finetuning.feature_distillation is 0.1, but there is no teacher") }
        let alone = try FinetuningRunConfiguration(
            file: nil, overrides: ["finetuning.distillation=0", "finetuning.feature_distillation=0.1"], data: "d",
            hasTeacher: true)
        #expect(alone.finetuning.needsTeacher)
        for key in ["distillation", "feature_distillation"] {
            let runs = try RunFixtures()
            #expect { try runs.train("run", "\(key)=0.5") } throws: {
                "\($0)".contains("'training.\(key)' is 0.5, expected 0: there is no teacher")
            }
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
