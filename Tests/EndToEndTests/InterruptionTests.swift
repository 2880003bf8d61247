import Foundation
import Testing

/// Ctrl-C and the signals of runners, as a user meets them.
@Suite struct InterruptionTests {
    private let weights = "model/unet/diffusion_pytorch_model.safetensors"

    /// A child of a shell started as a runner may: with these signals blocked, or not.
    private struct Child {
        let id: pid_t

        /// - Parameter blocked: signals that the child inherits as blocked.
        init(_ arguments: [String], in scratch: Scratch, blocked: [Int32] = []) throws {
            var mask = sigset_t()
            sigemptyset(&mask)
            for number in blocked { sigaddset(&mask, number) }
            var defaults = sigset_t()
            sigemptyset(&defaults)
            for number in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&defaults, number) }
            var attributes = posix_spawnattr_t()
            posix_spawnattr_init(&attributes)
            defer { posix_spawnattr_destroy(&attributes) }
            posix_spawnattr_setsigmask(&attributes, &mask)
            posix_spawnattr_setsigdefault(&attributes, &defaults)
            posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
            var actions = posix_spawn_file_actions_t()
            posix_spawn_file_actions_init(&actions)
            defer { posix_spawn_file_actions_destroy(&actions) }
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
            for (number, name) in [(Int32(1), "stdout"), (2, "stderr")] {
                posix_spawn_file_actions_addopen(
                    &actions, number, scratch.path(name), O_WRONLY | O_CREAT | O_TRUNC, 0o644)
            }
            var words: [UnsafeMutablePointer<CChar>?] = ([Tool.url.path] + arguments).map { strdup($0) } + [nil]
            defer { for word in words { free(word) } }
            var id = pid_t()
            let code = posix_spawn(&id, Tool.url.path, &actions, &attributes, &words, environ)
            try #require(code == 0, "posix_spawn: \(code)")
            self.id = id
        }

        func send(_ numbers: Int32...) {
            // All at once, as far as the child can tell.
            kill(id, SIGSTOP)
            for number in numbers { kill(id, number) }
            kill(id, SIGCONT)
        }

        /// - Returns: what a shell would see as its status.
        func wait() -> Int32 {
            var status: Int32 = 0
            while waitpid(id, &status, 0) < 0, errno == EINTR {}
            let ending = status & 0x7f
            return ending == 0 ? (status >> 8) & 0xff : 128 + ending
        }

        func waitUntil(_ moment: () -> Bool) {
            while kill(id, 0) == 0, !moment() { usleep(500) }
        }
    }

    private func settings(_ section: String, _ more: String...) -> [String] {
        (["log_every=3", "checkpoint_every=1000", "batch_size=4"] + more).map { "\(section).\($0)" }
    }

    private func commands(_ tiny: TinyRun) throws -> [String: [String]] {
        #expect(try Tool.run(tiny.train(to: "dense", "--set", "training.steps=10")).status == 0)
        let dense = tiny.scratch.path("dense/model")
        return [
            "train": ["train", "--config", tiny.configuration, "--set"] + settings("training", "steps=60"),
            "finetune": ["finetune", "--model", dense, "--teacher", dense, "--data", tiny.images, "--set"]
                + settings("finetuning", "steps=60"),
            "prune": ["prune", "--model", dense, "--data", tiny.images, "--method", "gradient-flow", "--set"]
                + settings("finetuning", "steps=60")
                + ["pruning.calibration_batch_size=4", "pruning.calibration_batches=16", "method.rounds=4"],
        ]
    }

    /// What the one line of a stopped run says to type.
    private func command(in line: String) throws -> String {
        let parts = line.components(separatedBy: "; go on with: ")
        try #require(parts.count == 2, "\(line)")
        return parts[1].trimmingCharacters(in: .newlines)
    }

    @Test(arguments: ["train", "finetune", "prune"], [SIGINT, SIGTERM, SIGHUP])
    func aRunEndsAfterItsStepAndSaysWhatGoesOn(kind: String, number: Int32) throws {
        let tiny = try TinyRun()
        let scratch = tiny.scratch
        let start = try #require(try commands(tiny)[kind]) + ["--quiet", "--threads", "1"]
        #expect(try Tool.run(start + ["--output", scratch.path("whole")]).status == 0)
        // Under a name that a shell takes apart unless it is quoted; the mask is that of a careless runner.
        let name = "it's $a run"
        let moments = kind == "prune" ? ["\"update\": 1,", "\"update\": 3,", "\"step\": 30}"] : ["\"step\": 9}"]
        for (index, moment) in moments.enumerated() {
            let child = try Child(
                start + ["--output", scratch.path(name)] + (index > 0 ? ["--resume"] : []), in: scratch,
                blocked: [SIGINT, SIGTERM, SIGHUP])
            child.waitUntil { (try? scratch.text("\(name)/metrics.jsonl").contains(moment)) == true }
            child.send(number)
            #expect(child.wait() == 128 + number, "\(moment)")
            let said = try scratch.text("stderr")
            #expect(said.hasPrefix("stopped at ") && said.split(separator: "\n").count == 1, "\(said)")
            #expect(said.contains("step "), "\(said)")
            #expect(try scratch.text("stdout") == "" && !scratch.exists("\(name)/model"))
        }
        // Exactly as it is printed.
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/bin/sh")
        shell.arguments = ["-c", try command(in: scratch.text("stderr"))]
        shell.currentDirectoryURL = URL(fileURLWithPath: "/")
        let output = Pipe()
        shell.standardOutput = output
        try shell.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        shell.waitUntilExit()
        #expect(shell.terminationStatus == 0 && text.contains("model: \(scratch.path(name))/model"), "\(text)")
        for file in [weights, "metrics.jsonl", "config.yaml", "run.json"] {
            #expect(try scratch.data("\(name)/\(file)") == scratch.data("whole/\(file)"), "\(file)")
        }
        // Done: the folder holds its result, and says it again.
        #expect(!scratch.exists("\(name)/checkpoints"))
        let again = try Tool.run([kind, "--output", scratch.path(name), "--resume"])
        #expect(again.status == 0 && again.output == text && again.errors == "", "\(again.errors)")
    }

    /// Steps of thousands of pictures, far longer than it takes to see two signals.
    @Test func aSecondSignalEndsAtOnce() throws {
        let tiny = try TinyRun()
        let scratch = tiny.scratch
        let child = try Child(
            tiny.train(to: "run", "--set", "training.batch_size=8000", "training.log_every=1"), in: scratch)
        child.waitUntil { scratch.exists("run/config.yaml") }
        usleep(200_000)
        child.send(SIGINT, SIGTERM)
        // By the one that was seen second, which may be either where both wait.
        #expect([128 + SIGINT, 128 + SIGTERM].contains(child.wait()))
        #expect(try scratch.text("stderr") == "" && scratch.text("stdout") == "")
        #expect(!scratch.exists("run/checkpoints"))
        #expect(try scratch.contents().allSatisfy { !$0.contains("/.") })
    }

    @Test func whatCannotGoOnEndsAtOnceAndLeavesNothing() throws {
        let scratch = try Scratch()
        let model = Tool.fixture("unet/plain")
        let many = ["--count", "90000", "--quiet"]
        let commands: [[String]] = [
            ["sample", "--model", model, "--output", scratch.path("out"), "--steps", "50"] + many,
            ["evaluate", "--dense", model, "--pruned", model, "--output", scratch.path("out"), "--steps", "50"] + many,
            [
                "bench", "--model", model, "--sweep", "batch", "--output", scratch.path("out"), "--runs", "10000",
                "--quiet",
            ],
        ]
        for arguments in commands {
            let child = try Child(arguments, in: scratch, blocked: [SIGINT, SIGTERM])
            child.waitUntil { scratch.exists("out") }
            child.send(SIGTERM)
            #expect(child.wait() == 143, "\(arguments[0])")
            #expect(!scratch.exists("out"), "\(arguments[0])")
            #expect(try scratch.text("stdout") == "" && scratch.text("stderr") == "")
        }
    }

    // MARK: going on by the folder alone

    @Test func aRunFolderThatHoldsNoRunIsSaidSo() throws {
        let tiny = try TinyRun()
        let scratch = tiny.scratch
        let model = Tool.fixture("unet/plain")
        let nowhere = scratch.path("nope")
        for arguments in [
            ["prune", "--resume", "--output", nowhere], ["finetune", "--resume", "--output", nowhere],
            ["train", "--resume", "--output", nowhere], ["prune", "--model", model, "--resume", "--output", nowhere],
            ["finetune", "--model", model, "--resume", "--output", nowhere],
        ] {
            let result = try Tool.run(arguments)
            #expect(result.status == 64)
            #expect(result.errors == "error: there is no run in \(nowhere)\n", "\(arguments)")
        }
        let missing = try Tool.run("prune", "--output", nowhere, "--method", "magnitude")
        #expect(missing.status == 64 && missing.errors.contains("--model is missing"), "\(missing.errors)")
        #expect(!scratch.exists("nope"))
    }

    @Test func aResumedRunFindsItsModelAndImagesFromElsewhere() throws {
        let tiny = try TinyRun()
        let scratch = tiny.scratch
        let program = Tool.url.path
        func shell(_ line: String, in folder: String) throws -> Int32 {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            process.arguments = ["-c", line]
            process.currentDirectoryURL = URL(fileURLWithPath: folder)
            process.standardError = FileHandle.nullDevice
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            return process.terminationStatus
        }
        #expect(try Tool.run(tiny.train(to: "dense", "--set", "training.steps=3")).status == 0)
        let start =
            "'\(program)' finetune --model dense/model --data images-idx3-ubyte --output run --steps 5 --set "
            + "finetuning.batch_size=2 finetuning.keep_checkpoints=true"
        #expect(try shell(start, in: scratch.url.path) == 0)
        try FileManager.default.removeItem(atPath: scratch.path("run/model"))
        #expect(try shell("'\(program)' finetune --resume --output '\(scratch.path("run"))'", in: "/") == 0)
        #expect(scratch.exists("run/model"))

        try FileManager.default.moveItem(atPath: scratch.path("dense"), toPath: scratch.path("moved"))
        let lost = try Tool.run("finetune", "--resume", "--output", scratch.path("run"))
        #expect(lost.status == 64 && lost.errors.contains("--model") && lost.errors.contains("dense/model"))
        let found = try Tool.run(
            "finetune", "--resume", "--output", scratch.path("run"), "--model", scratch.path("moved/model"))
        #expect(found.status == 0, "\(found.errors)")
    }
}
