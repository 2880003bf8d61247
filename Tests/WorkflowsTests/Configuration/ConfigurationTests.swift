import TestSupport
import Files
import Foundation
import PruningMethods
import Runs
import Testing

@testable import Workflows

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

    /// Of a file for another method its settings are left out, and what is set on the command line is not.
    @Test func settingsBesideANamedMethodAreItsOwn() throws {
        try withFile("method: {name: gradient-flow, rounds: 5, flow: sparse, ratio: 2}") { url in
            let other = try PruningRunConfiguration(
                file: url, overrides: ["method.rounds=3"], method: "vanilla-iterative", data: "some/where")
            #expect(try other.yaml.contains("rounds: 3"))
            let defaults = try PruningRunConfiguration(file: url, method: "vanilla-iterative", data: "some/where")
            #expect(try defaults.yaml.contains("rounds: 8"))
            #expect {
                _ = try PruningRunConfiguration(
                    file: url, overrides: ["method.ratio=3"], method: "vanilla-iterative", data: "some/where")
            } throws: {
                "\($0)".contains("method.ratio")
            }
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

    /// Where nothing takes it in it would be read and ignored.
    @Test(arguments: ["allocation=global", "allocation=uniform", "layer_exponent=0.5"])
    func theExponentOfLayersIsOfLayerAdaptiveScoresAlone(other: String) throws {
        let exponent = "pruning.layer_exponent=0.5"
        let adaptive = try PruningRunConfiguration(
            file: nil, overrides: ["pruning.allocation=layer-adaptive", exponent], data: "d")
        #expect(adaptive.pruning.layerExponent == 0.5)
        #expect {
            _ = try PruningRunConfiguration(file: nil, overrides: [exponent, "pruning.\(other)"], data: "d")
        } throws: {
            "\($0)".contains("pruning.layer_exponent") && "\($0)".contains("layer-adaptive")
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
        #expect(taught.recovery.distillation == FinetuningRunConfiguration.defaultDistillation)
        let chosen = try FinetuningRunConfiguration(
            file: nil, overrides: ["recovery.distillation=0.25"], data: "d", hasTeacher: true)
        #expect(chosen.recovery.distillation == 0.25)
        #expect(throws: RequestError.self) {
            try FinetuningRunConfiguration(
                file: nil, overrides: ["recovery.distillation=0"], data: "d", hasTeacher: true)
        }
        #expect(throws: RequestError.self) {
            try FinetuningRunConfiguration(
                file: nil, overrides: ["recovery.distillation=0.5"], data: "d", hasTeacher: false)
        }
    }

    @Test func featuresNeedATeacherToo() throws {
        #expect {
            try FinetuningRunConfiguration(
                file: nil, overrides: ["recovery.feature_distillation=0.1"], data: "d", hasTeacher: false)
        } throws: { "\($0)".contains("recovery.feature_distillation is 0.1, but there is no teacher") }
        let alone = try FinetuningRunConfiguration(
            file: nil, overrides: ["recovery.distillation=0", "recovery.feature_distillation=0.1"], data: "d",
            hasTeacher: true)
        #expect(alone.recovery.teaching.needsTeacher)
    }

    /// Predictions that are known already, or of pictures that do not stay, are not kept to be used again.
    @Test(arguments: [
        (["recovery.generated=trajectories"], "1 with trajectories"),
        (["recovery.generated=images", "recovery.generated_passes=2"], "1 where pictures are drawn anew"),
    ])
    func predictionsAreUsedAgainOnlyWhereThatIsWorthSomething(overrides: [String], words: String) throws {
        let uses = "recovery.prediction_uses=2"
        _ = try PruningRunConfiguration(file: nil, overrides: ["recovery.generated=images", uses], data: "d")
        #expect {
            _ = try PruningRunConfiguration(file: nil, overrides: overrides + [uses], data: "d")
        } throws: {
            "\($0)".contains("'recovery.prediction_uses' is 2, expected \(words)")
        }
    }

    /// `train` has no teacher, and `finetune` nothing that left.
    @Test func whatACommandCannotRecoverIsRefused() throws {
        let runs = try RunFixtures()
        for (override, words) in [
            ("training.distillation=0.5", "unknown key 'training.distillation'"),
            ("recovery.distillation=0.5", "unknown key 'recovery"),
        ] {
            #expect {
                _ = try TrainingRunConfiguration(file: runs.configuration, overrides: [override])
            } throws: { "\($0)".contains(words) }
        }
        #expect {
            _ = try FinetuningRunConfiguration(
                file: nil, overrides: ["recovery.reconstruction=ridge"], data: "d", hasTeacher: false)
        } throws: { "\($0)".contains("--set: 'recovery.reconstruction' is 'ridge', expected none: nothing leaves") }
    }

    /// Without images what is to be taught is not left out in silence.
    @Test func whatIsToBeTaughtAsksForFineTuning() throws {
        let taught = try PruningRunConfiguration(file: nil, overrides: ["recovery.distillation=1"])
        #expect(!taught.isWithoutImages && taught.finetuning.steps == 1000)
        let repaired = try PruningRunConfiguration(file: nil, overrides: ["recovery.reconstruction=ridge"])
        #expect(repaired.isWithoutImages && repaired.method == "magnitude" && repaired.finetuning.steps == 0)
    }

    /// Where the keys of recovery were before.
    @Test(arguments: [
        ("finetuning.distillation", "recovery.distillation"),
        ("finetuning.feature_distillation", "recovery.feature_distillation"),
        ("finetuning.feature_layers", "recovery.feature_layers"),
        ("finetuning.feature_outliers", "recovery.feature_outliers"),
        ("pruning.reconstruction", "recovery.reconstruction"), ("finetuning.kd", "recovery.distillation"),
    ])
    func aKeyOfAnotherSectionIsNamedWithItsOwn(key: String, name: String) throws {
        let words = "unknown key '\(key)', did you mean '\(name)'?"
        #expect {
            _ = try PruningRunConfiguration(file: nil, overrides: ["\(key)=1"], data: "d")
        } throws: { "\($0)".contains(words) }
        let parts = key.split(separator: ".")
        try withFile("\(parts[0]): {\(parts[1]): 1}\nstudy: {methods: [taylor], targets: [macs=0.5]}") { url in
            #expect { _ = try StudyConfiguration(file: url) } throws: { "\($0)".contains(words) }
        }
        try withFile(
            "variants: {taylor: {\(parts[0]): {\(parts[1]): 1}}}\nstudy: {methods: [taylor], targets: [macs=0.5]}"
        ) { url in
            #expect { _ = try StudyConfiguration(file: url) } throws: { "\($0)".contains(words) }
        }
        if parts[0] == "finetuning" {
            #expect {
                _ = try FinetuningRunConfiguration(
                    file: nil, overrides: ["\(key)=1"], data: "d", hasTeacher: true)
            } throws: { "\($0)".contains(words) }
        }
    }

    /// All runs of a study recover alike, but for what a variant says.
    @Test func aStudyAndItsVariantsHaveASectionOfRecovery() throws {
        try withFile(
            """
            study: {methods: [taylor, repaired], targets: [macs=0.5]}
            recovery: {distillation: 1}
            variants: {repaired: {method: {name: taylor}, recovery: {reconstruction: ridge, feature_distillation: 0.1}}}
            """
        ) { url in
            let study = try StudyConfiguration(file: url, data: "d")
            let runs = try study.cells.map { try study.run(of: $0).recovery }
            #expect(runs.map(\.distillation) == [1, 1] && runs.map(\.featureDistillation) == [0, 0.1])
            #expect(runs.map(\.reconstruction) == [.none, .ridge])
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
