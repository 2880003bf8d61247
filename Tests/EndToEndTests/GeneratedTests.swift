import Foundation
import Testing

/// Pruning without a data set, from the shell: the model draws what it is imitated on.
@Suite struct GeneratedTests {
    let scratch: Scratch
    /// Ten classes, grey 8×8.
    private let model = Tool.fixture("unet/class-embedding")
    private static let small = [
        "--threads", "1", "--set", "finetuning.batch_size=4", "recovery.generated_count=20",
        "recovery.generated_steps=3", "pruning.calibration_batches=2", "pruning.calibration_batch_size=4",
    ]

    init() throws { scratch = try Scratch() }

    private func prune(to name: String, _ more: String...) -> [String] {
        [
            "prune", "--model", model, "--output", scratch.path(name), "--method", "taylor", "--finetune-steps", "12",
            "--generated",
        ] + more + Self.small
    }

    @Test(arguments: ["images", "trajectories"]) func aModelIsPrunedWithoutADataSet(kind: String) throws {
        let forecast = try Tool.run(prune(to: "run", kind, "--dry-run"))
        #expect(forecast.status == 0, "\(forecast.errors)")
        // Twelve batches of four are less than one pool of 20 trajectories of three points.
        let noun = kind == "images" ? "pictures" : "trajectories"
        #expect(forecast.output.contains("20 \(noun) of about "), "\(forecast.output)")
        #expect(!scratch.exists("run"))

        let result = try Tool.run(prune(to: "run", kind))
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.contains("fine-tuning: 12 steps"), "\(result.output)")
        let stored = try scratch.text("run/config.yaml")
        #expect(stored.contains("generated: \"\(kind)\"") && stored.contains("distillation: 1"), "\(stored)")
        // Nothing is left to do.
        let resumed = try Tool.run("prune", "--output", scratch.path("run"), "--resume", "--quiet")
        #expect(resumed.status == 0, "\(resumed.errors)")

        let tuned = try Tool.run(
            [
                "finetune", "--model", scratch.path("run/model"), "--teacher", model, "--output",
                scratch.path("tuned"), "--steps", "3", "--quiet", "--generated", kind,
            ] + Self.small.filter { !$0.hasPrefix("pruning") })
        #expect(tuned.status == 0, "\(tuned.errors)")
    }

    @Test func studiesNeedNoDataSetEither() throws {
        let result = try Tool.run(
            [
                "compare", "--model", model, "--output", scratch.path("study"), "--methods", "magnitude,taylor",
                "--targets", "macs=0.6", "--finetune-steps", "3", "--count", "2", "--quiet", "--generated", "images",
            ] + Self.small + ["evaluation.steps=2"])
        #expect(result.status == 0 && result.output.contains("taylor"), "\(result.errors)")
        let failures = try scratch.text("study/comparison.json").contains("\"failed\"")
        #expect(!failures)
    }

    @Test func whatCannotBeDrawnIsRefusedInTheUsersWords() throws {
        func expectRefused(_ words: String, _ arguments: [String]) throws {
            let result = try Tool.run(arguments)
            #expect(result.status == 64 && result.errors.contains(words), "\(result.errors)")
            #expect(!scratch.exists("run"))
        }
        try expectRefused("--generated is 'pictures', expected", prune(to: "run", "pictures"))
        try expectRefused(
            "its classes are vectors",
            [
                "prune", "--model", Tool.fixture("unet/class-identity"), "--output", scratch.path("run"), "--generated",
                "images",
            ])
        try expectRefused(
            "--generated images",
            ["prune", "--model", model, "--output", scratch.path("run"), "--method", "taylor"])
    }
}
