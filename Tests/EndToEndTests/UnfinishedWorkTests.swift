import Foundation
import Testing

/// Whatever stops a command, it leaves whole results, a run that can be resumed, or nothing.
@Suite struct UnfinishedWorkTests {
    private let model = Tool.fixture("unet/plain")

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
