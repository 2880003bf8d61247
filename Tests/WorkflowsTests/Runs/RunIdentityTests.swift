import Foundation
import Runs
import Testing

@testable import Workflows

/// A run is resumed as what it began as, or not at all.
@Suite struct RunIdentityTests {
    private func expectRefused(
        _ runs: RunFixtures, naming words: String..., sourceLocation: SourceLocation = #_sourceLocation,
        _ body: () throws -> Void
    ) throws {
        let before = try runs.names("run").map { "\($0) \((try? runs.data("run/\($0)"))?.hashValue ?? 0)" }
        #expect(sourceLocation: sourceLocation) {
            try body()
        } throws: { error in
            error is RunFolder.Failure && words.allSatisfy { "\(error)".contains($0) }
        }
        let after = try runs.names("run").map { "\($0) \((try? runs.data("run/\($0)"))?.hashValue ?? 0)" }
        #expect(after == before, sourceLocation: sourceLocation)
    }

    @Test func otherSettingsAreRefusedByName() throws {
        let runs = try RunFixtures()
        try runs.train("run", "steps=3")
        for (change, key) in [
            ("learning_rate=0.5", "training.learning_rate (0.5, at the beginning 0.0002)"),
            (
                "learning_rate_schedule.shape=cosine",
                "training.learning_rate_schedule.shape ('cosine', at the beginning 'constant')"
            ),
            ("seed=1", "training.seed (1, at the beginning 0)"),
            ("checkpoint_every=5", "training.checkpoint_every (5, at the beginning 4)"),
            ("optimizer.kind=sgd", "training.optimizer.kind ('sgd', at the beginning 'adam')"),
        ] {
            try expectRefused(runs, naming: key) { try runs.train("run", resuming: true, "steps=3", change) }
        }
        try expectRefused(runs, naming: "training.steps (2, at the beginning 3)") {
            try runs.train("run", resuming: true, "steps=2")
        }
        try expectRefused(runs, naming: "and 1 more") {
            try runs.train(
                "run", resuming: true, "steps=3", "seed=1", "ema=0", "log_every=1", "batch_size=2", "gradient_clip=0")
        }
    }

    @Test func stepsGrowOnlyWhereTheFirstOnesWouldHaveBeenTheSame() throws {
        let runs = try RunFixtures()
        try runs.train("run", "steps=3", "learning_rate_schedule.shape=cosine")
        try expectRefused(runs, naming: "training.steps (5, at the beginning 3)", "constant") {
            try runs.train("run", resuming: true, "steps=5", "learning_rate_schedule.shape=cosine")
        }
    }

    @Test func otherImagesAreRefusedAndMovedOnesAreNot() throws {
        let runs = try RunFixtures()
        try runs.train("run", "steps=3", "keep_checkpoints=true")
        let original = try Data(contentsOf: runs.images)
        var changed = original
        changed[changed.count - 1] ^= 1
        try changed.write(to: runs.images)
        try expectRefused(runs, naming: "the images of the data (SHA-256 ") {
            try runs.train("run", resuming: true, "steps=3", "keep_checkpoints=true")
        }
        try original.write(to: runs.path("elsewhere"))
        let text = try runs.text("config.yaml").replacingOccurrences(
            of: runs.images.path, with: runs.path("elsewhere").path)
        try Data(text.utf8).write(to: runs.configuration)
        try runs.train("run", resuming: true, "steps=4", "keep_checkpoints=true")
        #expect(try runs.text("run/config.yaml").contains("elsewhere"))
    }

    @Test func aFolderWithoutARecordIsRefused() throws {
        let runs = try RunFixtures()
        try runs.train("run", "steps=3")
        let record = try runs.data("run/run.json")
        try FileManager.default.removeItem(at: runs.path("run/run.json"))
        try expectRefused(runs, naming: "run.json: missing") { try runs.train("run", resuming: true, "steps=3") }
        for text in [
            "{}", "{\"schema\": 2}", "{\"schema\": 2, \"command\": \"train\", \"configuration\": {}, \"inputs\": 3}",
        ] {
            try Data(text.utf8).write(to: runs.path("run/run.json"))
            try expectRefused(runs, naming: "run.json: not a run's record") {
                try runs.train("run", resuming: true, "steps=3")
            }
        }
        try record.write(to: runs.path("run/run.json"))
        try runs.train("run", resuming: true, "steps=3")
    }

    /// Its configuration has keys that are gone.
    @Test func aRunOfAnotherVersionIsRefusedAsSuch() throws {
        let runs = try RunFixtures()
        try runs.train("run", "steps=3")
        let text = try runs.text("run/run.json").replacing("\"schema\": 2", with: "\"schema\": 1")
        try Data(text.utf8).write(to: runs.path("run/run.json"))
        try expectRefused(runs, naming: "'schema' is 1, expected 2: the run began with another version") {
            try runs.train("run", resuming: true, "steps=3")
        }
        #expect(RunRecord(folder: runs.path("run")).command == "train")
    }
}
