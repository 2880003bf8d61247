import Foundation
import Testing

/// `compare`, on a model so small that a run takes a fraction of a second.
@Suite struct CompareTests {
    /// A dense model of pictures that are large enough for SSIM, and images.
    private func prepared() throws -> TinyRun {
        let tiny = try TinyRun(side: 12)
        #expect(try Tool.run(tiny.train(to: "dense", "--set", "training.steps=20")).status == 0)
        return tiny
    }

    private func study(_ tiny: TinyRun, to name: String, _ more: String...) -> [String] {
        [
            "compare", "--model", tiny.scratch.path("dense/model"), "--data", tiny.images, "--output",
            tiny.scratch.path(name), "--finetune-steps", "6", "--count", "4", "--quiet", "--threads", "1", "--set",
            "finetuning.batch_size=4", "pruning.calibration_batches=2", "pruning.calibration_batch_size=4",
            "evaluation.steps=3", "pruning.granularity=channel",
        ] + more
    }

    private let methods = ["--methods", "magnitude,random,one-shot", "--targets", "macs=0.7,macs=0.5", "--seeds", "2"]

    private func json(_ scratch: Scratch, _ file: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: scratch.data(file)) as? [String: Any])
    }

    private func runs(_ scratch: Scratch, _ study: String) throws -> [[String: Any]] {
        try #require(try json(scratch, "\(study)/comparison.json")["runs"] as? [[String: Any]])
    }

    private func cell(_ name: String, _ target: String, _ seed: Int) -> String { "runs/\(name)/\(target)/seed-\(seed)" }

    /// What of a comparison does not hang on the clock.
    private func lasting(_ scratch: Scratch, _ study: String) throws -> String {
        try runs(scratch, study).map { run in
            var run = run
            run["seconds"] = nil
            var measures = run["measures"] as? [String: Any]
            measures?["time"] = nil
            run["measures"] = measures
            return String(
                decoding: try JSONSerialization.data(withJSONObject: run, options: .sortedKeys), as: UTF8.self)
        }.joined(separator: "\n")
    }

    @Test func methodsTargetsAndSeedsUnderOneProtocol() throws {
        let tiny = try prepared()
        let scratch = tiny.scratch
        let result = try Tool.run(study(tiny, to: "study") + methods)
        #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
        #expect(result.output.contains("macs=0.7") && result.output.contains("one-shot"), "\(result.output)")
        let all = try runs(scratch, "study")
        #expect(all.count == 12 && all.allSatisfy { $0["state"] as? String == "done" })
        #expect(Set(all.compactMap { $0["folder"] as? String }).count == 12)
        let comparison = try json(scratch, "study/comparison.json")
        #expect((comparison["summary"] as? [Any])?.count == 6 && (comparison["differences"] as? [Any])?.count == 6)
        #expect(try scratch.text("study/comparison.csv").split(separator: "\n").count == 13)
        let page = try scratch.text("study/report.html")
        #expect(page.contains("3 methods at macs=0.7, macs=0.5") && page.contains("12 of 12 runs are done"))
        #expect(scratch.exists("study/contact-sheet.png"))

        // The same as by prune and evaluate, to the bit.
        let cell = cell("one-shot", "macs=0.5", 1)
        let dense = scratch.path("dense/model")
        let alone = try Tool.run(
            "prune", "--model", dense, "--config", scratch.path("study/\(cell)/run/config.yaml"), "--output",
            scratch.path("alone"), "--quiet", "--threads", "1")
        #expect(alone.status == 0, "\(alone.errors)")
        let weights = "model/unet/diffusion_pytorch_model.safetensors"
        #expect(try scratch.data("alone/\(weights)") == scratch.data("study/\(cell)/run/\(weights)"))
        let evaluated = try Tool.run(
            "evaluate", "--dense", dense, "--pruned", scratch.path("alone/model"), "--data", tiny.images, "--count",
            "4", "--steps", "3", "--output", scratch.path("evaluation"), "--quiet", "--threads", "1")
        #expect(evaluated.status == 0, "\(evaluated.errors)")
        for part in ["consistency", "quality"] {
            let (a, b) = (
                try json(scratch, "evaluation/metrics.json")[part],
                try json(scratch, "study/\(cell)/evaluation/metrics.json")[part]
            )
            #expect(a as? NSDictionary == b as? NSDictionary && a != nil, "\(part)")
        }
        let ssim = all.first { $0["folder"] as? String == cell }?["ssim"] as? Double
        let consistency = try json(scratch, "evaluation/metrics.json")["consistency"] as? [String: Any]
        let mean = try #require((consistency?["ssim"] as? [String: Any])?["mean"] as? Double)
        #expect(abs(try #require(ssim) - mean) < 1e-12)

        // Done: it says so again, from anywhere, and changes nothing.
        let before = try lasting(scratch, "study")
        let again = try Tool.run(
            "compare", "--resume", "--output", scratch.path("study"), "--quiet", "--threads", "1", "--json")
        #expect(again.status == 0, "\(again.errors)")
        #expect(try lasting(scratch, "study") == before && again.output.contains("\"summary\""))
    }

    @Test func aStudyKilledAtAnyMomentIsGoneOnWith() throws {
        let tiny = try prepared()
        let scratch = tiny.scratch
        #expect(try Tool.run(study(tiny, to: "whole") + methods).status == 0)
        let moments = [
            cell("magnitude", "macs=0.7", 0) + "/run/metrics.jsonl", cell("random", "macs=0.7", 0) + "/time.json",
            cell("one-shot", "macs=0.7", 0) + "/result.json", cell("one-shot", "macs=0.5", 1) + "/run/model",
        ]
        var more: [String] = []
        for moment in moments {
            let process = try Tool.start(study(tiny, to: "study") + methods + more, in: scratch)
            while process.isRunning, !scratch.exists("study/\(moment)") { usleep(200) }
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            #expect(process.terminationReason == .uncaughtSignal, "\(moment)")
            more = ["--resume"]
        }
        let last = try Tool.run(["compare", "--resume", "--output", scratch.path("study"), "--quiet", "--threads", "1"])
        #expect(last.status == 0, "\(last.errors)")
        #expect(try lasting(scratch, "study") == lasting(scratch, "whole"))
        #expect(try scratch.data("study/contact-sheet.png") == scratch.data("whole/contact-sheet.png"))
    }

    @Test func anInterruptedStudySaysHowToGoOn() throws {
        let tiny = try prepared()
        let scratch = tiny.scratch
        let process = try Tool.start(
            study(tiny, to: "study", "finetuning.steps=4000") + [
                "--methods", "magnitude,random", "--targets", "macs=0.5",
            ],
            in: scratch)
        while process.isRunning, !scratch.exists("study/" + cell("magnitude", "macs=0.5", 0) + "/run/metrics.jsonl") {
            usleep(200)
        }
        kill(process.processIdentifier, SIGTERM)
        process.waitUntilExit()
        #expect(process.terminationReason == .uncaughtSignal && process.terminationStatus == SIGTERM)
        #expect(!scratch.exists("study/comparison.json"))
        #expect(scratch.exists("study/" + cell("magnitude", "macs=0.5", 0) + "/time.json"))
    }

    @Test func severalProcessesShareAStudy() throws {
        let tiny = try prepared()
        let scratch = tiny.scratch
        let first = try Tool.start(study(tiny, to: "study") + methods, in: scratch)
        while first.isRunning, !scratch.exists("study/run.json") { usleep(200) }
        let second = try Tool.run(
            ["compare", "--resume", "--output", scratch.path("study"), "--quiet", "--threads", "1"])
        first.waitUntilExit()
        #expect(first.terminationStatus == 0 && second.status == 0, "\(second.errors)")
        let all = try runs(scratch, "study")
        #expect(all.count == 12 && all.allSatisfy { $0["state"] as? String == "done" })
    }

    @Test func aFailedRunIsShownAndDoesNotStopTheRest() throws {
        let tiny = try prepared()
        let scratch = tiny.scratch
        let file = try scratch.write(
            """
            study: {methods: [random, wild], targets: [macs=0.5]}
            variants:
              wild:
                method: {name: magnitude}
                finetuning: {learning_rate: 10, gradient_clip: 0, optimizer: {kind: sgd}}
            """, to: "study.yaml")
        let result = try Tool.run(study(tiny, to: "study", "finetuning.steps=40") + ["--config", file])
        #expect(result.status == 64, "\(result.errors)")
        #expect(
            result.errors.contains("1 of 2 runs failed") && result.output.contains("failed: wild, macs=0.5, seed 0"))
        let all = try runs(scratch, "study")
        #expect(all.map { $0["state"] as? String } == ["done", "failed"])
        #expect(all[1]["method"] as? String == "magnitude" && all[1]["reason"] is String)
        #expect(try scratch.text("study/report.html").contains("wild, macs=0.5, seed 0 failed"))
    }

    @Test func equalTimeGivesEachItsSteps() throws {
        let tiny = try prepared()
        let scratch = tiny.scratch
        let result = try Tool.run(
            study(tiny, to: "study") + ["--methods", "magnitude,one-shot", "--targets", "macs=0.5", "--equal", "time"])
        #expect(result.status == 0, "\(result.errors)")
        let steps = try #require(try json(scratch, "study/steps.json")["steps"] as? [String: [String: Int]])
        #expect(steps["magnitude"]?["macs=0.5"] == 6)
        let other = try #require(steps["one-shot"]?["macs=0.5"])
        #expect(other >= 1)
        let all = try runs(scratch, "study")
        #expect(all.map { $0["finetuning_steps"] as? Int } == [6, other])
    }

    @Test func whatCannotBeIsRefusedBeforeAnythingIsWritten() throws {
        let tiny = try prepared()
        let scratch = tiny.scratch
        func refused(_ arguments: [String], _ words: String...) throws {
            let result = try Tool.run(arguments)
            #expect(result.status == 64 && result.errors.hasPrefix("error: "), "\(result.errors)")
            for word in words { #expect(result.errors.contains(word), "\(result.errors)") }
            #expect(!scratch.exists("no"))
        }
        let start = study(tiny, to: "no")
        try refused(start, "study.methods is empty", "--methods")
        try refused(start + ["--methods", "random"], "study.targets is empty")
        try refused(start + ["--methods", "magnitud", "--targets", "macs=0.5"], "'magnitude'")
        try refused(start + ["--methods", "random,random", "--targets", "macs=0.5"], "twice")
        try refused(start + ["--methods", "random", "--targets", "macs=5"], "macs=5")
        try refused(start + ["--methods", "random", "--targets", "macs=0.5", "--seeds", "0"], "--seeds is 0")
        try refused(start + ["--methods", "random", "--targets", "macs=0.5", "--equal", "pace"], "steps, time")
        try refused(start + ["--methods", "../x", "--targets", "macs=0.5"], "'../x'")
        // The second of two, which the budget rules out.
        try refused(start + ["--methods", "magnitude,random", "--targets", "macs=0.5,macs=0.0001"], "macs=0.0001")
        try refused(["compare", "--resume", "--output", scratch.path("no")], "there is no")

        #expect(try Tool.run(start + ["--methods", "random", "--targets", "macs=0.5"]).status == 0)
        let changed = try Tool.run(start + ["--methods", "random,magnitude", "--targets", "macs=0.5", "--resume"])
        #expect(changed.status == 65 && changed.errors.contains("study.methods"), "\(changed.errors)")
        let dry = try Tool.run(study(tiny, to: "dry") + methods + ["--dry-run"])
        #expect(dry.status == 0 && dry.output.contains("12 runs"), "\(dry.output)\(dry.errors)")
        #expect(!scratch.exists("dry"))
    }
}
