import Foundation
import Testing

/// A run killed at any moment and resumed comes to the same bits as one that was left alone.
@Suite struct ResumeTests {
    private let weights = "model/unet/diffusion_pytorch_model.safetensors"

    /// Kills the run three times, at moments of this process's chance, then lets it finish.
    private func survive(_ command: [String], in scratch: Scratch, as long: Duration) throws {
        let seconds = Double(long.components.seconds) + Double(long.components.attoseconds) * 1e-18
        for kill in 0..<3 {
            let delay = Double.random(in: 0.02...0.6) * seconds
            let process = try Tool.start(command + (kill > 0 ? ["--resume"] : []), in: scratch)
            Thread.sleep(forTimeInterval: delay)
            Foundation.kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        let last = try Tool.run(command + ["--resume"])
        #expect(last.status == 0, "\(last.errors)")
    }

    private func timed(_ command: [String]) throws -> Duration {
        try ContinuousClock().measure {
            let result = try Tool.run(command)
            #expect(result.status == 0, "\(result.errors)")
        }
    }

    @Test func killedRunsReachTheSameBits() throws {
        let tiny = try TinyRun()
        let scratch = tiny.scratch
        let training = try timed(tiny.train(to: "whole"))
        try survive(tiny.train(to: "killed"), in: scratch, as: training)
        #expect(try scratch.data("killed/\(weights)") == scratch.data("whole/\(weights)"))
        #expect(try scratch.text("killed/metrics.jsonl") == scratch.text("whole/metrics.jsonl"))

        let pruning = try timed(tiny.prune("whole/model", to: "pruned"))
        try survive(tiny.prune("whole/model", to: "pruned-killed"), in: scratch, as: pruning)
        for file in [weights, "model/pruning.json"] {
            #expect(try scratch.data("pruned-killed/\(file)") == scratch.data("pruned/\(file)"), "\(file)")
        }
        #expect(try scratch.data("pruned/\(weights)").count < scratch.data("whole/\(weights)").count)

        // Fine-tuning keeps what was removed, and resumes from nothing but its own folder.
        let finetune = [
            "finetune", "--model", scratch.path("pruned/model"), "--teacher", scratch.path("whole/model"), "--output",
            scratch.path("tuned"), "--quiet",
        ]
        let settings = ["--data", tiny.images, "--steps", "5", "--set", "finetuning.batch_size=4"]
        #expect(try Tool.run(finetune + settings).status == 0)
        #expect(try scratch.data("tuned/model/pruning.json") == scratch.data("pruned/model/pruning.json"))
        #expect(try scratch.text("tuned/config.yaml").contains("distillation: 0.5"))
        let tuned = try scratch.data("tuned/\(weights)")
        #expect(try tuned != scratch.data("pruned/\(weights)"))
        #expect(try Tool.run(finetune + ["--resume"]).status == 0)
        #expect(try scratch.data("tuned/\(weights)") == tuned)

        let info = try Tool.run("info", "--model", scratch.path("tuned/model"), "--json")
        let json = try #require(try JSONSerialization.jsonObject(with: Data(info.output.utf8)) as? [String: Any])
        let achieved = try #require((json["pruning"] as? [String: Any])?["achieved"] as? [String: Any])
        let macs = try #require(achieved["macs"] as? [String: Any])
        #expect(macs["pruned"] as? Double == json["macs"] as? Double)
        #expect((macs["ratio"] as? Double).map { $0 <= 0.5 && $0 > 0.4 } == true)
    }

    @Test func anotherConfigurationOrAnOccupiedFolderIsRefused() throws {
        let tiny = try TinyRun()
        #expect(try Tool.run(tiny.train(to: "run", "--set", "training.steps=2")).status == 0)
        let before = try tiny.scratch.contents()
        let other = try Tool.run(tiny.train(to: "run", "--resume", "--set", "training.steps=3"))
        #expect(other.status == 64 && other.complaints.count == 1)
        let occupied = try Tool.run(tiny.train(to: "run"))
        #expect(occupied.status == 64 && occupied.errors.contains("--resume"))
        #expect(try tiny.scratch.contents() == before)
    }
}
