import Files
import Foundation
import Testing
import WeightFiles

/// A run killed at any moment and resumed comes to the same bits as one that was left alone: weights, logs and
/// pictures.
@Suite struct ResumeTests {
    private let weights = "model/unet/diffusion_pytorch_model.safetensors"

    // MARK: moments

    /// What a run folder shows of how far the run has come.
    private struct Progress {
        let scratch: Scratch
        let run: String

        var log: String { (try? scratch.text("\(run)/metrics.jsonl")) ?? "" }
        var checkpoints: [String] {
            ((try? FileManager.default.contentsOfDirectory(atPath: scratch.path("\(run)/checkpoints"))) ?? [])
        }
        /// Stages of the plan that the newest checkpoint has behind it.
        var stagesSaved: Int? {
            get throws {
                let store = CheckpointStore(folder: scratch.url.appendingPathComponent("\(run)/checkpoints"))
                return try store.latest().checkpoint?.state["stage"]?.intValue
            }
        }
    }

    /// Starts the tool and kills it as soon as `moment` holds.
    /// - Returns: whether it was killed; false where it had come to its end before.
    private func kill(_ command: [String], in scratch: Scratch, when moment: () -> Bool) throws -> Bool {
        let process = try Tool.start(command, in: scratch)
        while process.isRunning, !moment() { usleep(200) }
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        return process.terminationReason == .uncaughtSignal
    }

    /// Kills the run at each moment, resuming it in between, then lets it finish.
    private func survive(
        _ command: [String], in scratch: Scratch, run: String, moments: [(name: String, reached: (Progress) -> Bool)]
    ) throws {
        let progress = Progress(scratch: scratch, run: run)
        var resume: [String] = []
        for moment in moments {
            let killed = try kill(command + resume, in: scratch) { moment.reached(progress) }
            #expect(killed, "the run had ended before it was killed \(moment.name)")
            resume = ["--resume"]
        }
        let last = try Tool.run(command + resume)
        #expect(last.status == 0, "\(last.errors)")
    }

    private func expectSame(_ scratch: Scratch, _ run: String, _ whole: String, files: [String]) throws {
        for file in files + ["metrics.jsonl", "config.yaml", "run.json"] {
            #expect(try scratch.data("\(run)/\(file)") == scratch.data("\(whole)/\(file)"), "\(run)/\(file)")
        }
        let samples = try FileManager.default.contentsOfDirectory(atPath: scratch.path("\(whole)/samples")).sorted()
        let found = try FileManager.default.contentsOfDirectory(atPath: scratch.path("\(run)/samples")).sorted()
        #expect(found == samples && !samples.isEmpty)
        for name in samples {
            #expect(try scratch.data("\(run)/samples/\(name)") == scratch.data("\(whole)/samples/\(name)"), "\(name)")
        }
    }

    // MARK: tests

    @Test func aKilledTrainingReachesTheSameBits() throws {
        let tiny = try TinyRun()
        let scratch = tiny.scratch
        func train(_ name: String) -> [String] {
            tiny.train(to: name, "--set", "training.steps=100", "training.log_every=7", "training.sample_every=40")
        }
        #expect(try Tool.run(train("whole")).status == 0)
        try survive(
            train("killed"), in: scratch, run: "killed",
            moments: [
                ("at its first line", { $0.log.contains("\n") }),
                ("right after its first checkpoint", { $0.checkpoints.contains("step-000015") }),
                (
                    "while it wrote a checkpoint",
                    { $0.checkpoints.contains { $0.hasPrefix(".step-") && $0 > ".step-000030" } }
                ),
                ("between checkpoints", { $0.log.contains("\"step\": 56}") }),
                ("at its last steps", { $0.log.contains("\"step\": 98}") }),
            ])
        try expectSame(scratch, "killed", "whole", files: [weights])
    }

    @Test func aKilledPruningReachesTheSameBits() throws {
        let tiny = try TinyRun()
        let scratch = tiny.scratch
        #expect(try Tool.run(tiny.train(to: "dense", "--set", "training.steps=30")).status == 0)
        func prune(_ name: String) -> [String] {
            tiny.prune("dense/model", to: name, "finetuning.log_every=7", "finetuning.sample_every=20")
        }
        #expect(try Tool.run(prune("whole")).status == 0)
        let whole = try scratch.text("whole/metrics.jsonl").split(separator: "\n").map(String.init)
        #expect(whole.count { $0.contains("\"update\"") } == 6)
        func updates(_ progress: Progress) -> Int { progress.log.count(of: "\"update\": ") }
        try survive(
            prune("killed"), in: scratch, run: "killed",
            moments: [
                ("before anything was logged", { $0.scratch.exists("killed/config.yaml") }),
                ("in its first mask update", { updates($0) == 1 }),
                ("in its third mask update", { updates($0) >= 3 }),
                ("in its last mask update", { updates($0) >= 6 }),
                ("in fine-tuning", { $0.log.contains("\"step\": 35}") }),
                ("right after a checkpoint", { $0.checkpoints.contains("step-000050") }),
            ])
        try expectSame(scratch, "killed", "whole", files: [weights, "model/pruning.json"])
        #expect(try scratch.data("whole/\(weights)").count < scratch.data("dense/\(weights)").count)
    }

    /// The moment that a kill seldom hits: a mask update is logged, and the checkpoint that knows of it is not there
    /// yet.
    @Test func aMaskUpdateThatWasLoggedButNotSavedIsLoggedOnce() throws {
        let tiny = try TinyRun()
        let scratch = tiny.scratch
        #expect(try Tool.run(tiny.train(to: "dense", "--set", "training.steps=30")).status == 0)
        // A method whose updates take no time: nothing is saved before them.
        func prune(_ name: String) -> [String] {
            tiny.prune("dense/model", to: name, "finetuning.log_every=7", "finetuning.sample_every=20")
                .map { $0 == "gradient-flow" ? "magnitude" : $0 }
        }
        #expect(try Tool.run(prune("whole")).status == 0)
        #expect(try kill(prune("cut"), in: scratch) { scratch.exists("cut/config.yaml") })
        // Somebody works where the checkpoint of step 6 is to be written: updates 1 and 2 are saved, 3 is not.
        let checkpoints = scratch.url.appendingPathComponent("cut/checkpoints")
        let obstacle = checkpoints.appendingPathComponent(".step-000006.partial")
        try FileManager.default.createDirectory(at: obstacle, withIntermediateDirectories: true)
        var lock: FolderLock? = try FolderLock(obstacle)
        let stopped = try Tool.run(prune("cut") + ["--resume"])
        #expect(stopped.status == 65 && stopped.complaints.count == 1, "\(stopped.errors)")
        let progress = Progress(scratch: scratch, run: "cut")
        #expect(progress.log.count(of: "\"update\": ") == 3)
        // Update, steps, update.
        #expect(try progress.stagesSaved == 3)
        #expect(lock != nil)
        lock = nil
        #expect(try Tool.run(prune("cut") + ["--resume"]).status == 0)
        try expectSame(scratch, "cut", "whole", files: [weights, "model/pruning.json"])
    }

    @Test func fineTuningKeepsWhatWasRemovedAndResumes() throws {
        let tiny = try TinyRun()
        let scratch = tiny.scratch
        #expect(try Tool.run(tiny.train(to: "dense", "--set", "training.steps=20")).status == 0)
        #expect(try Tool.run(tiny.prune("dense/model", to: "pruned")).status == 0)
        func finetune(_ name: String) -> [String] {
            [
                "finetune", "--model", scratch.path("pruned/model"), "--teacher", scratch.path("dense/model"),
                "--output",
                scratch.path(name), "--quiet", "--threads", "1",
            ]
        }
        let settings = [
            "--data", tiny.images, "--steps", "40", "--set", "finetuning.batch_size=4", "finetuning.log_every=3",
            "finetuning.checkpoint_every=4", "finetuning.sample_every=10",
        ]
        #expect(try Tool.run(finetune("tuned") + settings).status == 0)
        #expect(try scratch.data("tuned/model/pruning.json") == scratch.data("pruned/model/pruning.json"))
        #expect(try scratch.text("tuned/config.yaml").contains("distillation: 0.5"))
        #expect(try scratch.data("tuned/\(weights)") != scratch.data("pruned/\(weights)"))
        // Resumed from nothing but its own folder.
        let progress = Progress(scratch: scratch, run: "killed")
        #expect(try kill(finetune("killed") + settings, in: scratch) { progress.checkpoints.contains("step-000008") })
        #expect(try Tool.run(finetune("killed") + ["--resume"]).status == 0)
        try expectSame(scratch, "killed", "tuned", files: [weights, "model/pruning.json"])

        let info = try Tool.run("info", "--model", scratch.path("tuned/model"), "--json")
        let json = try #require(try JSONSerialization.jsonObject(with: Data(info.output.utf8)) as? [String: Any])
        let achieved = try #require((json["pruning"] as? [String: Any])?["achieved"] as? [String: Any])
        let macs = try #require(achieved["macs"] as? [String: Any])
        #expect(macs["pruned"] as? Double == json["macs"] as? Double)
        #expect((macs["ratio"] as? Double).map { $0 <= 0.5 && $0 > 0.4 } == true)

        // What the run began with is what it goes on with.
        func expectRefused(_ arguments: [String], saying words: String...) throws {
            let before = try scratch.contents()
            let result = try Tool.run(finetune("tuned") + ["--resume"] + arguments)
            #expect(result.status == 65 && result.complaints.count == 1, "\(result.errors)")
            for word in words { #expect(result.errors.contains(word), "\(result.errors)") }
            #expect(try scratch.contents() == before)
        }
        try expectRefused(
            ["--model", scratch.path("dense/model")], saying: "the weights of the model", "pruning record")
        try expectRefused(["--teacher", scratch.path("pruned/model")], saying: "the weights of the teacher")
        try expectRefused(["--set", "finetuning.ema=0.5"], saying: "finetuning.ema (0.5, at the beginning 0.999)")
        let other = scratch.path("other-idx3-ubyte")
        try Data(try Data(contentsOf: URL(fileURLWithPath: tiny.images)).dropLast() + [9]).write(
            to: URL(fileURLWithPath: other))
        try expectRefused(["--data", other], saying: "the images of the data")
    }

    @Test func aRunWhoseLogWasShortenedIsRefused() throws {
        let tiny = try TinyRun()
        let arguments = tiny.train(to: "run", "--set", "training.steps=6", "training.log_every=1")
        #expect(try Tool.run(arguments).status == 0)
        let log = try tiny.scratch.text("run/metrics.jsonl")
        try tiny.scratch.write(log.split(separator: "\n").prefix(4).map { $0 + "\n" }.joined(), to: "run/metrics.jsonl")
        let before = try tiny.scratch.contents()
        let refused = try Tool.run(arguments + ["--resume"])
        #expect(refused.status == 65 && refused.errors.split(separator: "\n").count == 1 && refused.output.isEmpty)
        #expect(refused.errors.contains("metrics.jsonl: it holds 4 lines, fewer than the 6"), "\(refused.errors)")
        #expect(try tiny.scratch.contents() == before)
        try tiny.scratch.write(log, to: "run/metrics.jsonl")
        #expect(try Tool.run(arguments + ["--resume"]).status == 0)
    }

    @Test func anotherRunOrAnOccupiedFolderIsRefused() throws {
        let tiny = try TinyRun()
        #expect(try Tool.run(tiny.train(to: "run", "--set", "training.steps=2")).status == 0)
        let before = try tiny.scratch.contents()
        let other = try Tool.run(tiny.train(to: "run", "--resume", "--set", "training.steps=2", "training.seed=3"))
        #expect(other.status == 65 && other.complaints.count == 1 && other.errors.contains("training.seed (3"))
        let fewer = try Tool.run(tiny.train(to: "run", "--resume", "--set", "training.steps=1"))
        #expect(fewer.status == 65 && fewer.errors.contains("training.steps (1"))
        let occupied = try Tool.run(tiny.train(to: "run"))
        #expect(occupied.status == 64 && occupied.errors.contains("--resume"))
        let command = try Tool.run(tiny.prune("run/model", to: "run", "--resume"))
        #expect(command.status == 65 && command.errors.contains("'train', not of 'prune'"), "\(command.errors)")
        #expect(try tiny.scratch.contents() == before)
    }
}

extension String {
    fileprivate func count(of text: String) -> Int { components(separatedBy: text).count - 1 }
}
