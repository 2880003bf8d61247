import Foundation
import Testing

/// Whatever stops a command, it leaves whole results, a run that can be resumed, or nothing.
@Suite struct UnfinishedWorkTests {
    private let model = Tool.fixture("unet/plain")

    /// Starts the tool, sends `number` as soon as `moment` holds, and waits.
    /// - Returns: the signal that ended it; nil where it had come to its end before.
    private func stop(
        _ arguments: [String], by number: Int32, in scratch: Scratch, when moment: () -> Bool
    ) throws -> Int32? {
        let process = try Tool.start(arguments, in: scratch)
        while process.isRunning, !moment() { usleep(200) }
        Foundation.kill(process.processIdentifier, number)
        process.waitUntilExit()
        return process.terminationReason == .uncaughtSignal ? process.terminationStatus : nil
    }

    private func names(_ folder: String) -> [String] {
        ((try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? []).sorted()
    }

    @Test func anInterruptedSamplingLeavesNothing() throws {
        let scratch = try Scratch()
        let out = scratch.path("out")
        let ended = try stop(
            ["sample", "--model", model, "--output", out, "--count", "5000", "--steps", "20", "--quiet"], by: SIGTERM,
            in: scratch
        ) { names(out).contains { $0.hasSuffix(".png") } }
        #expect(ended == SIGTERM)
        #expect(try scratch.contents() == [])
        #expect(try scratch.text("stderr") == "")
    }

    @Test func anInterruptedTrainingCanBeResumed() throws {
        let tiny = try TinyRun()
        let scratch = tiny.scratch
        let train = { tiny.train(to: $0, "--set", "training.steps=60", "training.checkpoint_every=5") }
        #expect(try Tool.run(train("whole")).status == 0)
        let ended = try stop(train("out"), by: SIGTERM, in: scratch) {
            names(scratch.path("out/checkpoints")).contains { $0.hasPrefix(".step-") && $0 > ".step-000010" }
        }
        #expect(ended == SIGTERM)
        #expect(names(scratch.path("out")).allSatisfy { !$0.split(separator: "/").contains { $0.hasPrefix(".") } })
        #expect(try Tool.run(train("out") + ["--resume"]).status == 0)
        for file in ["metrics.jsonl", "model/unet/diffusion_pytorch_model.safetensors"] {
            #expect(try scratch.data("out/\(file)") == scratch.data("whole/\(file)"), "\(file)")
        }
    }

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
            let left = try scratch.contents().filter { !before.contains($0) }
            if !isRun { #expect(left == [], "\(arguments)") }
            #expect(left.allSatisfy { !$0.contains("/.") && !$0.contains("model/") }, "\(arguments): \(left)")
        }
        #expect(failures > 0)
    }
}
