import Foundation
import Testing

/// `law`: a sweep of pressures on a tiny model, its fits, and the run that checks what they predict.
@Suite struct LawTests {
    private func configuration(_ tiny: TinyRun, _ more: String = "") throws -> String {
        try tiny.scratch.write(
            """
            law: {model: "\(tiny.scratch.path("dense/model"))", lowest: 1e-3, highest: 100, points: 4}
            method: {epochs: 5, travel: 1}
            pruning: {target: sparsity=0.6, granularity: weight, calibration_batches: 1, calibration_batch_size: 2}
            finetuning: {steps: 20, batch_size: 4, log_every: 7, sample_every: 0, checkpoint_every: 6}
            data: {path: "\(tiny.images)"}
            \(more)
            """, to: "law.yaml")
    }

    private func law(_ tiny: TinyRun, to name: String, _ more: String...) throws -> [String] {
        [
            "law", "--config", try configuration(tiny), "--output", tiny.scratch.path(name), "--quiet", "--threads",
            "1",
        ] + more
    }

    /// Without when and by which command it was written.
    private func result(_ scratch: Scratch, _ name: String) throws -> [String: Any] {
        let json = try JSONSerialization.jsonObject(with: scratch.data("\(name)/law.json"))
        var members = try #require(json as? [String: Any])
        #expect(members.removeValue(forKey: "made_by") != nil)
        return members
    }

    @Test func sweepsFitsPredictsAndChecks() throws {
        let tiny = try TinyRun()
        let scratch = tiny.scratch
        #expect(try Tool.run(tiny.train(to: "dense", "--set", "training.steps=20")).status == 0)
        let run = try Tool.run(law(tiny, to: "whole"))
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.contains("R²") && run.output.contains("predicted for 40.0 % left"), "\(run.output)")

        let result = try result(scratch, "whole")
        let runs = try #require(result["runs"] as? [[String: Any]])
        #expect(runs.count == 4)
        let left = runs.compactMap { $0["remaining"] as? Double }
        #expect(left.count == 4 && left == left.sorted(by: >) && left[0] > left[3], "\(left)")
        #expect(runs.allSatisfy { ($0["epochs"] as? [Double])?.count == 5 })
        let pure = try #require(result["pure"] as? [String: Double])
        #expect(try #require(pure["alpha0"]) > 0 && pure["alpha1"] == 0)
        let prediction = try #require(result["prediction"] as? [String: Any])
        let pressure = try #require(prediction["pressure"] as? Double)
        let remaining = try #require(prediction["remaining"] as? Double)
        #expect(abs(try #require(prediction["wanted"] as? Double) - 0.4) < 1e-9)
        #expect(abs(try #require(prediction["error"] as? Double) - (remaining - 0.4)) < 1e-12)
        // The run that checks was made at that pressure, as any run of a pruning.
        #expect(try scratch.text("whole/check/config.yaml").contains("constant_pressure: "))
        #expect(pressure > 0 && scratch.exists("whole/check/model/pruning.json"))
        #expect(try scratch.text("whole/law.svg").contains("<svg"))
        let page = try scratch.text("whole/report.html")
        #expect(page.contains("quadratic law") && page.contains("epoch by epoch"))

        // Killed in its second run, and after the sweep.
        let moments: [(Scratch) -> Bool] = [
            { $0.exists("killed/runs/2/checkpoints/step-000006") }, { $0.exists("killed/check/metrics.jsonl") },
        ]
        for (index, reached) in moments.enumerated() {
            let process = try Tool.start(
                law(tiny, to: "killed") + (index > 0 ? ["--resume"] : []), in: scratch)
            while process.isRunning, !reached(scratch) { usleep(200) }
            Foundation.kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            #expect(process.terminationReason == .uncaughtSignal)
        }
        // All that it needs is in its folder.
        let last = try Tool.run("law", "--output", scratch.path("killed"), "--resume", "--quiet", "--threads", "1")
        #expect(last.status == 0, "\(last.errors)")
        let again = try self.result(scratch, "killed")
        #expect(NSDictionary(dictionary: again) == NSDictionary(dictionary: result))
        let refused = try Tool.run(law(tiny, to: "killed", "--resume", "--set", "method.epochs=4"))
        #expect(refused.status != 0 && refused.complaints.count == 1)
        #expect(refused.errors.contains("method.epochs"))
    }

    @Test(arguments: [
        (["--set", "law.points=2"], "'law.points' is 2, expected 3...1000"),
        (["--set", "law.highest=1e-4"], "law.highest"),
        (["--set", "method.name=magnitude"], "expected 'hyperflows', whose law it is"),
        (["--set", "method.constant_pressure=3"], "law.lowest, law.highest and law.points say it"),
        (["--set", "method.regrowth_epochs=3"], "expected 0 in a law"),
        (["--set", "pruning.soft_fraction=0.5"], "expected 1 in a law"),
        (["--set", "law.model=''"], "expected a model folder there or by --model"),
        (["--set", "law.pressures=3"], "law.pressures"),
    ])
    func refusesWhatMakesNoLaw(arguments: [String], message: String) throws {
        let tiny = try TinyRun()
        let run = try Tool.run(law(tiny, to: "law") + arguments)
        #expect([64, 65].contains(run.status), "\(run.status)")
        #expect(run.complaints.count == 1 && run.errors.contains(message), "\(run.errors)")
        #expect(!tiny.scratch.exists("law"))
    }
}
