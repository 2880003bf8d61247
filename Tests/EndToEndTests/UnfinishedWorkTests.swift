import Foundation
import Testing

/// Whatever stops a command, it leaves whole results, a run that can be resumed, or nothing.
@Suite struct UnfinishedWorkTests {
    private let model = Tool.fixture("unet/plain")
    private let weights = "model/unet/diffusion_pytorch_model.safetensors"

    // MARK: signals

    /// Starts the tool, freezes it while `moment` holds, and sends it a signal that reaches it as it goes on.
    ///
    /// Frozen, nothing can slip by: without handling of signals it would end there and then, with all it has half
    /// written.
    /// - Returns: the signal that ended it; nil where it had come to its end before.
    private func stop(
        _ arguments: [String], by number: Int32, in scratch: Scratch, while moment: () -> Bool
    ) throws -> Int32? {
        // Where the tests are run in the background, children would ignore it too.
        let former = signal(number, SIG_DFL)
        defer { signal(number, former) }
        let process = try Tool.start(arguments, in: scratch)
        let id = process.processIdentifier
        while process.isRunning {
            guard moment() else {
                usleep(200)
                continue
            }
            kill(id, SIGSTOP)
            var information = siginfo_t()
            waitid(P_PID, id_t(id), &information, WSTOPPED | WEXITED | WNOWAIT)
            let isHit = moment()
            if isHit { kill(id, number) }
            kill(id, SIGCONT)
            if isHit { break }
        }
        process.waitUntilExit()
        return process.terminationReason == .uncaughtSignal ? process.terminationStatus : nil
    }

    private func names(_ folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }

    private func hidden(_ scratch: Scratch) throws -> [String] {
        try scratch.contents().filter { $0.split(separator: "/").contains { $0.hasPrefix(".") } }
    }

    /// What each kind of run is started with, apart from its output.
    private func runs(_ tiny: TinyRun) -> [[String]] {
        let finetuning = [
            "steps=21", "batch_size=4", "checkpoint_every=2", "log_every=4", "sample_every=10", "ema=0.9",
        ]
        let pruning = ["pruning.calibration_batch_size=8", "pruning.calibration_batches=1", "method.rounds=3"]
        return [
            ["train", "--config", tiny.configuration, "--set"] + finetuning.map { "training.\($0)" },
            ["finetune", "--model", model, "--teacher", model, "--data", tiny.images, "--set"]
                + finetuning.map { "finetuning.\($0)" },
            ["prune", "--model", model, "--data", tiny.images, "--method", "gradient-flow", "--target", "macs=0.6"]
                + ["--set"] + pruning + finetuning.map { "finetuning.\($0)" },
        ].map { $0 + ["--quiet", "--threads", "1"] }
    }

    @Test(arguments: [0, 1, 2]) func aRunStoppedWhileItWritesACheckpointGoesOnToTheSameBits(kind: Int) throws {
        let tiny = try TinyRun()
        let scratch = tiny.scratch
        func run(_ name: String) -> [String] { runs(tiny)[kind] + ["--output", scratch.path(name)] }
        #expect(try Tool.run(run("whole")).status == 0)
        for number in [[SIGTERM, SIGINT, SIGHUP][kind], SIGKILL] {
            let name = "stopped-by-\(number)"
            let ended = try stop(run(name), by: number, in: scratch) {
                let checkpoints = names(scratch.path("\(name)/checkpoints"))
                return checkpoints.contains("step-000004") && checkpoints.contains { $0.hasPrefix(".step-") }
            }
            #expect(ended == number, "the run had ended before it was stopped")
            let said = try scratch.text("stderr").split(separator: "\n")
            #expect(said.count == (number == SIGKILL ? 0 : 1) && said.allSatisfy { $0.hasPrefix("stopped at ") })
            #expect(try scratch.text("stdout") == "" && !scratch.exists("\(name)/model"))
            let remains = try hidden(scratch)
            #expect(remains.isEmpty == (number != SIGKILL), "\(remains)")

            let resumed = try Tool.run(run(name) + ["--resume"])
            #expect(resumed.status == 0, "\(resumed.errors)")
            #expect(try hidden(scratch) == [])
            let samples = names(scratch.path("whole/samples")).map { "samples/\($0)" }
            #expect(samples.count == 2 && samples == names(scratch.path("\(name)/samples")).map { "samples/\($0)" })
            for file in [weights, "metrics.jsonl", "config.yaml", "run.json"] + samples {
                #expect(try scratch.data("\(name)/\(file)") == scratch.data("whole/\(file)"), "\(file)")
            }
        }
    }

    /// Far more pictures than are ever drawn here: the tool is stopped at the first few.
    @Test func aStoppedSamplingLeavesNothing() throws {
        let scratch = try Scratch()
        func sample(_ name: String, _ count: Int) -> [String] {
            [
                "sample", "--model", model, "--output", scratch.path(name), "--steps", "3", "--quiet", "--count",
                "\(count)",
            ]
        }
        for number in [SIGTERM, SIGINT, SIGHUP, SIGKILL] {
            let ended = try stop(sample("out", 5000), by: number, in: scratch) {
                names(scratch.path("out/.results.partial/images")).contains("000003.png")
            }
            #expect(ended == number, "it had ended before it was stopped")
            #expect(try scratch.text("stdout") == "" && scratch.text("stderr") == "")
            if number != SIGKILL { #expect(try scratch.contents() == []) }
        }
        // What cannot be caught leaves nothing that shows, and is cleared by the next.
        #expect(names(scratch.path("out")) == [".results.partial"])
        for name in ["out", "whole"] { #expect(try Tool.run(sample(name, 20)).status == 0) }
        #expect(names(scratch.path("out")) == ["grid.png", "images"])
        let images = names(scratch.path("whole/images"))
        #expect(images.count == 20 && names(scratch.path("out/images")) == images)
        for file in images.map({ "images/\($0)" }) + ["grid.png"] {
            #expect(try scratch.data("out/\(file)") == scratch.data("whole/\(file)"), "\(file)")
        }
    }

    @Test func aStoppedEvaluationLeavesNothing() throws {
        let scratch = try Scratch()
        let out = scratch.path("out")
        func evaluate(_ count: Int) -> [String] {
            [
                "evaluate", "--dense", model, "--pruned", model, "--output", out, "--steps", "1", "--save-images",
                "--quiet",
                "--count", "\(count)",
            ]
        }
        // While it measures, then while it writes.
        #expect(try stop(evaluate(500), by: SIGTERM, in: scratch) { scratch.exists("out") } == SIGTERM)
        #expect(try scratch.contents() == [] && scratch.text("stderr") == "")
        for number in [SIGINT, SIGKILL] {
            let ended = try stop(evaluate(500), by: number, in: scratch) {
                names(out + "/.results.partial/images").contains("dense")
            }
            #expect(ended == number, "it had ended before it was stopped")
            #expect(try scratch.text("stdout") == "" && scratch.text("stderr") == "")
            if number != SIGKILL { #expect(try scratch.contents() == []) }
        }
        #expect(names(out) == [".results.partial"])
        #expect(try Tool.run(evaluate(4)).status == 0)
        #expect(names(out) == ["grid.png", "images", "metrics.json", "report.html"])
        #expect(names(out + "/images/dense").count == 4)
    }

    // MARK: full disks

    /// Files may not grow beyond a few kilobytes, as on a full disk; that needs no disk of one's own.
    @Test(arguments: [1, 2, 6, 20, 60]) func filesThatCannotBeWrittenWhole(kilobytes: Int) throws {
        let tiny = try TinyRun()
        let scratch = tiny.scratch
        let out = scratch.path("out")
        let commands: [(arguments: [String], isRun: Bool)] = [
            (tiny.train(to: "out", "--set", "training.steps=6", "training.checkpoint_every=3"), true),
            (["prune", "--model", model, "--output", out, "--method", "magnitude", "--finetune-steps", "0"], true),
            (["sample", "--model", model, "--output", out, "--count", "40", "--steps", "2"], false),
            (
                ["evaluate", "--dense", model, "--pruned", model, "--output", out, "--count", "4", "--steps", "2"],
                false
            ),
            (["score", "--model", model, "--criterion", "magnitude", "--output", out], false),
        ]
        var failures = 0
        for (arguments, isRun) in commands {
            try? FileManager.default.removeItem(atPath: out)
            let before = try scratch.contents()
            let result = try Tool.run(arguments + ["--quiet"], fileLimit: kilobytes)
            guard result.status != 0 else { continue }
            failures += 1
            let lines = result.errors.split(separator: "\n").filter { !$0.hasPrefix("warning:") }
            #expect(result.status == 65 && lines.count == 1, "\(arguments): \(result.status) \(result.errors)")
            #expect(lines.first?.hasPrefix("error: ") == true && result.output.isEmpty)
            #expect(!result.errors.contains(".partial"), "the name that a user knows is another: \(result.errors)")
            let left = try scratch.contents().filter { !before.contains($0) }
            if !isRun { #expect(left == [], "\(arguments)") }
            #expect(left.allSatisfy { !$0.contains("/.") && !$0.contains("model/") }, "\(arguments): \(left)")
        }
        #expect(failures > 0)
    }
}
