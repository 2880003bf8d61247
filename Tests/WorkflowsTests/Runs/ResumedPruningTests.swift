import Foundation
import ModelFolders
import Runs
import Testing

@testable import Workflows

/// A pruning run that ends in the midst of any of its stages, or between two, and is resumed, comes to the same bits.
@Suite struct ResumedPruningTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let method: String
        let target: String
        var overrides: [String] = []
        /// What the plan has to have, for the case to be worth its name.
        let stages: [String]

        var testDescription: String { "\(method) \(target)" }
    }

    static let cases = [
        Case(
            method: "lottery", target: "macs=0.7",
            overrides: ["method.fraction=0.2", "method.early=0.5", "pruning.soft_fraction=0.75"],
            stages: ["snapshot", "rewind", "compact"]),
        Case(
            method: "lottery", target: "sparsity=0.4",
            overrides: ["method.early=0.5", "pruning.granularity=weight", "pruning.soft_fraction=0.75"],
            stages: ["snapshot", "rewind", "bake"]),
        Case(
            method: "thinet", target: "macs=0.7", overrides: ["method.samples_per_batch=4"],
            stages: ["reconstruct", "compact"]),
        Case(
            method: "rigl", target: "sparsity=0.5", overrides: ["method.every=2"], stages: ["update", "train", "bake"]),
        Case(
            method: "gradient-flow", target: "macs=0.7",
            overrides: ["method.flow=sparse", "method.rounds=3", "method.flow_steps=2"],
            stages: ["update", "train", "compact"]),
        Case(
            method: "gradient-flow", target: "macs=0.5", overrides: ["method.rounds=4", "method.momentum=0"],
            stages: ["update", "train", "compact"]),
        Case(
            method: "gradient-flow", target: "macs=0.5",
            overrides: [
                "method.flow=continuous", "method.rounds=3", "method.choose_every=2", "method.step=0.95",
                "pruning.soft_fraction=0.75",
            ], stages: ["update", "train", "compact"]),
        Case(
            method: "gradient-flow", target: "sparsity=0.6",
            overrides: [
                "method.flow=continuous", "method.rounds=3", "method.choose_every=2", "pruning.granularity=weight",
                "pruning.soft_fraction=0.75",
            ], stages: ["update", "train", "bake"]),
        Case(
            method: "vanilla-iterative", target: "macs=0.7",
            overrides: [
                "method.rounds=3", "pruning.soft_fraction=0.5", "pruning.rewind_learning_rate=true",
                "finetuning.learning_rate_schedule.shape=cosine", "recovery.distillation=0.5",
                "recovery.feature_distillation=0.1", "recovery.jacobian_matching=0.01",
            ], stages: ["snapshot", "update", "train", "rewind", "compact"]),
        Case(
            method: "taylor", target: "macs=0.7",
            overrides: ["recovery.distillation=0.5", "recovery.prediction_uses=2"], stages: ["update", "train"]),
        Case(method: "l0", target: "macs=0.7", stages: ["train", "update", "compact"]),
        Case(
            method: "hyperflows", target: "macs=0.7",
            overrides: [
                "method.epochs=2", "method.regrowth_epochs=1", "pruning.granularity=channel", "method.travel=1",
            ],
            stages: ["train", "update", "compact"]),
        Case(
            method: "hyperflows", target: "sparsity=0.5",
            overrides: ["method.epochs=2", "method.regrowth_epochs=0", "method.travel=1"],
            stages: ["train", "update", "bake"]),
        // Updates in a row, of which the last alone is saved.
        Case(
            method: "synflow", target: "sparsity=0.5", overrides: ["method.rounds=4"],
            stages: ["update", "train", "bake"]),
    ]

    @Test(arguments: cases) func endsTheSameWhereverItStopped(a: Case) throws {
        let runs = try RunFixtures()
        try runs.train("dense", "steps=3")
        let configuration = try PruningRunConfiguration(
            file: nil,
            overrides: [
                "finetuning.steps=8", "finetuning.batch_size=3", "finetuning.log_every=3",
                "finetuning.checkpoint_every=3", "finetuning.ema=0.9", "pruning.calibration_batches=2",
                "pruning.calibration_batch_size=2",
            ] + a.overrides, method: a.method, target: a.target, data: runs.images.path)
        func workflow(_ name: String, _ occupied: RunContext.Occupied) throws -> PruningWorkflow<Pipeline> {
            PruningWorkflow(
                configuration, pipeline: try PipelineFolder(runs.path("dense/model")).load(),
                in: RunContext(output: runs.path(name), occupied: occupied))
        }
        _ = try workflow("whole", .refused).run()
        let stages = try PlannedPruning(
            configuration, of: PipelineFolder(runs.path("dense/model")).load().model, storedAs: .float32
        ).plan.stages
        for kind in a.stages { #expect(stages.contains { "\($0)".hasPrefix(kind) }, "\(stages)") }

        for stopped in 0...stages.count {
            let name = "stopped-\(stopped)"
            try stop(workflow(name, .refused), resuming: false, after: stopped)
            // A second stop: the state that was restored is what is saved again.
            try stop(workflow(name, .resumed), resuming: true, after: min(stopped + 1, stages.count))
            _ = try workflow(name, .resumed).run()
            #expect(try runs.record(name) == runs.record("whole"), "stopped after \(stopped) of \(stages)")
            for file in [
                "model/unet/diffusion_pytorch_model.safetensors", "metrics.jsonl", "config.yaml", "run.json",
            ] {
                #expect(
                    try runs.data("\(name)/\(file)") == runs.data("whole/\(file)"),
                    "\(file), stopped after \(stopped) of \(stages)")
            }
        }
    }

    /// Carries out so many stages, and lets the run go with nothing but what is in its folder.
    private func stop(_ workflow: PruningWorkflow<Pipeline>, resuming: Bool, after stages: Int) throws {
        let (run, folder) = try workflow.opened()
        if resuming { try folder.resume(warning: nil, restore: run.restore) }
        while run.position.stage < stages { try run.advanceStage(in: folder) }
    }
}
