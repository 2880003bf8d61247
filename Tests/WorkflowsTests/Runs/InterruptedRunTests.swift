import Files
import Foundation
import ModelFolders
import Runs
import Testing
import WeightFiles

@testable import Workflows

/// A run that is asked to stop saves what it has, wherever it is, and goes on from there to the same bits.
@Suite struct InterruptedRunTests {
    @Test(arguments: [1, 2, 3, 7]) func aTraining(stoppingAt every: Int) throws {
        let runs = try RunFixtures()
        let settings = ["log_every=2", "sample_every=0", "checkpoint_every=100"]
        try runs.train(in: RunContext(output: runs.path("whole")), settings)
        let stops = try runs.advance("run", stoppingAt: every) { try runs.train(in: $0, settings) }
        #expect(!stops.isEmpty && stops.allSatisfy { $0.hasSuffix(" of 13") })
        for file in ["model/unet/diffusion_pytorch_model.safetensors", "metrics.jsonl", "run.json"] {
            #expect(try runs.data("run/\(file)") == runs.data("whole/\(file)"), "\(file)")
        }
    }

    @Test func aSampleGridThatWasUnderWayIsMadeByWhoGoesOn() throws {
        let runs = try RunFixtures()
        let settings = ["steps=5", "log_every=1", "sample_every=3", "checkpoint_every=100"]
        try runs.train(in: RunContext(output: runs.path("whole")), settings)
        let interruption = Interruption()
        let context = RunContext(
            output: runs.path("run"), interruption: interruption,
            progress: { if $0.phase.contains("samples") { interruption.request() } })
        #expect(throws: RunStopped(reached: "step 3 of 5")) { try runs.train(in: context, settings) }
        #expect(!FileManager.default.fileExists(atPath: runs.path("run/samples").path))
        try runs.train(in: RunContext(output: runs.path("run"), occupied: .resumed), settings)
        try runs.expectSame("run", "whole")
        #expect(try runs.names("run/samples") == ["step-000003.png"])
    }

    @Test(arguments: ["gradient-flow", "lottery", "magnitude", "thinet", "l0", "hyperflows", "rigl"])
    func aPruning(method: String) throws {
        let runs = try RunFixtures()
        try runs.train("dense", "steps=2")
        var overrides = [
            "finetuning.steps=8", "finetuning.batch_size=2", "finetuning.log_every=3", "finetuning.sample_every=0",
            "finetuning.checkpoint_every=100", "pruning.calibration_batches=2", "pruning.calibration_batch_size=2",
            "pruning.soft_fraction=0.5",
        ]
        switch method {
        case "gradient-flow", "magnitude": overrides.append("method.rounds=3")
        case "rigl": overrides.append("method.every=2")
        // Epochs of two steps.
        case "hyperflows": overrides += ["method.epochs=1", "method.regrowth_epochs=1"]
        default: break
        }
        let configuration = try PruningRunConfiguration(
            file: nil, overrides: overrides, method: method, data: runs.images.path)
        func prune(in context: RunContext) throws {
            _ = try PruningWorkflow(
                configuration, pipeline: PipelineFolder(runs.path("dense/model")).load(), in: context
            ).run()
        }
        try prune(in: RunContext(output: runs.path("whole")))
        for every in [1, 2, 3] {
            let name = "run-\(every)"
            let stops = try runs.advance(name, stoppingAt: every, prune)
            #expect(stops.count >= 2, "\(stops)")
            #expect(try runs.record(name) == runs.record("whole"), "every \(every)")
            for file in ["model/unet/diffusion_pytorch_model.safetensors", "metrics.jsonl", "run.json"] {
                #expect(try runs.data("\(name)/\(file)") == runs.data("whole/\(file)"), "\(file), every \(every)")
            }
        }
    }

    @Test func aRunAskedToStopBeforeItBeganStillTellsWhereItIs() throws {
        let runs = try RunFixtures()
        let interruption = Interruption()
        #expect(!interruption.request(), "nothing was under way")
        #expect(throws: RunStopped(reached: "step 1 of 13")) {
            try runs.train(in: RunContext(output: runs.path("run"), interruption: interruption), [])
        }
        #expect(try CheckpointStore(folder: runs.path("run/checkpoints")).steps() == [1])
    }

    // MARK: checkpoints

    @Test func checkpointsByTimeChangeNoBit() throws {
        let runs = try RunFixtures()
        let settings = ["checkpoint_every=100", "log_every=2"]
        try runs.train(in: RunContext(output: runs.path("whole")), settings + ["checkpoint_minutes=0"])
        #expect(try runs.names("whole/checkpoints") == ["step-000013"])
        try runs.train(in: RunContext(output: runs.path("often")), settings + ["checkpoint_minutes=1e-9"])
        #expect(try runs.names("often/checkpoints").count == 2)
        for file in ["model/unet/diffusion_pytorch_model.safetensors", "metrics.jsonl"] {
            #expect(try runs.data("often/\(file)") == runs.data("whole/\(file)"))
        }
    }

    @Test func aRunThatIsDoneHoldsNothingButItsResult() throws {
        let runs = try RunFixtures()
        try runs.train("run", "keep_checkpoints=false")
        #expect(
            try runs.names("run").filter { !$0.hasPrefix("events") } == [
                "config.yaml", "metrics.jsonl", "model", "run.json", "samples",
            ])
        let before = try runs.data("run/run.json")
        // Nothing is left to do, and that is no error.
        try runs.train("run", resuming: true, "keep_checkpoints=false")
        #expect(try runs.data("run/run.json") == before)
        // More steps would need what went.
        #expect {
            try runs.train("run", resuming: true, "keep_checkpoints=false", "steps=20")
        } throws: {
            "\($0)".contains("training.steps (20, at the beginning 13)") && "\($0)".contains("keep_checkpoints")
        }
        #expect(try runs.data("run/run.json") == before)
    }

    /// The moments that a kill at the end can leave: model there, the run not called done; done, with checkpoints or
    /// their hidden remains.
    @Test func aRunKilledWhileItClearsUpIsBroughtToItsEnd() throws {
        let runs = try RunFixtures()
        try runs.train("whole", "keep_checkpoints=false")
        try runs.train("kept", "keep_checkpoints=true")
        let manager = FileManager.default
        for moment in ["model written", "called done", "one checkpoint gone", "one half gone", "none left"] {
            try? manager.removeItem(at: runs.path("run"))
            try manager.copyItem(at: runs.path("kept"), to: runs.path("run"))
            let record = RunRecord(folder: runs.path("run"))
            var content = try #require(try record.read())
            if moment == "model written" { content.finished = nil }
            try record.write(content)
            let checkpoints = runs.path("run/checkpoints")
            let names = try runs.names("run/checkpoints")
            switch moment {
            case "one checkpoint gone": try manager.removeItem(at: checkpoints.appendingPathComponent(names[0]))
            case "one half gone":
                let partial = checkpoints.appendingPathComponent(".\(names[0]).partial")
                try manager.moveItem(at: checkpoints.appendingPathComponent(names[0]), to: partial)
                try manager.removeItem(at: partial.appendingPathComponent("state.json"))
            case "none left":
                for name in names { try manager.removeItem(at: checkpoints.appendingPathComponent(name)) }
            default: break
            }
            try runs.train("run", resuming: true, "keep_checkpoints=false")
            #expect(!manager.fileExists(atPath: checkpoints.path), "\(moment)")
            for file in ["model/unet/diffusion_pytorch_model.safetensors", "metrics.jsonl"] {
                #expect(try runs.data("run/\(file)") == runs.data("whole/\(file)"), "\(moment)")
            }
        }
    }

    @Test func aRunWhoseModelIsGoneBeginsAnewAndSaysSo() throws {
        let runs = try RunFixtures()
        try runs.train("whole", "keep_checkpoints=false")
        try FileManager.default.copyItem(at: runs.path("whole"), to: runs.path("run"))
        try FileManager.default.removeItem(at: runs.path("run/model"))
        nonisolated(unsafe) var warnings: [String] = []
        try runs.train("run", resuming: true, warning: { warnings.append($0) }, "keep_checkpoints=false")
        #expect(warnings.count == 1 && warnings[0].contains("begins anew"))
        try runs.expectSame("run", "whole")
    }
}
