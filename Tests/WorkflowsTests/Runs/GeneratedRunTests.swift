import Diffusion
import Files
import Foundation
import ModelFolders
import Runs
import Testing

@testable import Workflows

/// Runs without a data set, on what the dense model draws.
@Suite struct GeneratedRunTests {
    private static let small = [
        "finetuning.steps=8", "finetuning.batch_size=3", "finetuning.log_every=3", "finetuning.ema=0.9",
        "finetuning.checkpoint_every=100", "pruning.calibration_batches=2", "pruning.calibration_batch_size=2",
        "pruning.soft_fraction=0.5", "recovery.generated_count=6", "recovery.generated_steps=2",
    ]

    struct Case: Sendable, CustomTestStringConvertible {
        let method: String
        let overrides: [String]
        var data = false

        var testDescription: String { "\(method) \(overrides)" }
    }

    /// Pools that stay and such that change, before and after mask updates, alone and beside a data set; methods that
    /// ask for batches of every kind.
    static let cases = [
        Case(method: "vanilla-iterative", overrides: ["recovery.generated=images", "method.rounds=3"]),
        Case(
            method: "gradient-flow",
            overrides: ["recovery.generated=images", "recovery.generated_passes=1", "method.rounds=2"]),
        Case(
            method: "gradient-flow",
            overrides: ["recovery.generated=trajectories", "method.rounds=3", "recovery.reconstruction=ridge"]),
        Case(method: "discrimination-aware", overrides: ["recovery.generated=trajectories"]),
        Case(
            method: "vanilla-iterative",
            overrides: [
                "recovery.generated=trajectories", "recovery.generated_passes=0", "recovery.generated_share=0.5",
                "recovery.distillation=0.5", "recovery.feature_distillation=0.1", "recovery.feature_layers=all",
                "recovery.jacobian_matching=0.1",
                "method.rounds=2",
            ], data: true),
    ]

    private func configuration(
        _ runs: RunFixtures, method: String? = "magnitude", data: Bool = false, _ overrides: [String]
    ) throws -> PruningRunConfiguration {
        try PruningRunConfiguration(
            file: nil, overrides: Self.small + overrides, method: method, target: "macs=0.7",
            data: data ? runs.images.path : nil)
    }

    private func workflow(
        _ runs: RunFixtures, _ configuration: PruningRunConfiguration, in context: RunContext
    ) throws -> PruningWorkflow<Pipeline> {
        PruningWorkflow(configuration, pipeline: try PipelineFolder(runs.path("dense/model")).load(), in: context)
    }

    private func prune(_ runs: RunFixtures, _ configuration: PruningRunConfiguration, in context: RunContext) throws {
        _ = try workflow(runs, configuration, in: context).run()
    }

    private func expectSame(_ runs: RunFixtures, _ name: String, _ words: String) throws {
        #expect(try runs.record(name) == runs.record("whole"), "\(words)")
        for file in ["model/unet/diffusion_pytorch_model.safetensors", "metrics.jsonl", "config.yaml", "run.json"] {
            #expect(try runs.data("\(name)/\(file)") == runs.data("whole/\(file)"), "\(file), \(words)")
        }
    }

    @Test(arguments: cases) func aPruningEndsTheSameWhereverItStopped(a: Case) throws {
        let runs = try RunFixtures()
        try runs.train("dense", "steps=3")
        let configuration = try configuration(runs, method: a.method, data: a.data, a.overrides)
        nonisolated(unsafe) var phases: Set<String> = []
        try prune(
            runs, configuration, in: RunContext(output: runs.path("whole"), progress: { phases.insert($0.phase) })
        )
        #expect(phases.contains("drawing"), "\(phases)")
        let stages = try PlannedPruning(
            configuration, of: PipelineFolder(runs.path("dense/model")).load().model, storedAs: .float32
        ).plan.stages
        for stopped in 0...stages.count {
            let name = "stopped-\(stopped)"
            for (occupied, until) in [
                (RunContext.Occupied.refused, stopped), (.resumed, min(stopped + 1, stages.count)),
            ] {
                let workflow = try workflow(
                    runs, configuration, in: RunContext(output: runs.path(name), occupied: occupied))
                let (run, folder) = try workflow.opened()
                if occupied == .resumed { try folder.resume(warning: nil, restore: run.restore) }
                while run.position.stage < until { try run.advanceStage(in: folder) }
            }
            try prune(runs, configuration, in: RunContext(output: runs.path(name), occupied: .resumed))
            try expectSame(runs, name, "stopped after \(stopped) of \(stages)")
        }
    }

    /// Asked to stop at every so manieth piece of news, those of drawing among them.
    @Test(arguments: cases.prefix(3)) func aPruningStopsWhileItDraws(a: Case) throws {
        let runs = try RunFixtures()
        try runs.train("dense", "steps=2")
        let configuration = try configuration(runs, method: a.method, data: a.data, a.overrides)
        func prune(in context: RunContext) throws { try self.prune(runs, configuration, in: context) }
        try prune(in: RunContext(output: runs.path("whole")))
        for every in [2, 5] {
            let stops = try runs.advance("run-\(every)", stoppingAt: every, prune)
            #expect(stops.count >= 2 && stops[0].contains("step 0 of 8"), "\(stops)")
            try expectSame(runs, "run-\(every)", "every \(every)")
        }
    }

    @Test func aFineTuningWithoutADataSetIsResumed() throws {
        let runs = try RunFixtures()
        try runs.train("dense", "steps=3")
        try prune(
            runs, configuration(runs, ["recovery.generated=images"]), in: RunContext(output: runs.path("pruned")))
        for kind in ["images", "trajectories"] {
            let configuration = try FinetuningRunConfiguration(
                file: nil,
                overrides: Self.small.filter { !$0.hasPrefix("pruning") } + ["recovery.generated=\(kind)"],
                hasTeacher: true)
            #expect(configuration.recovery.distillation == 1)
            func finetune(in context: RunContext) throws {
                try FinetuningWorkflow(
                    configuration, pipeline: PipelineFolder(runs.path("pruned/model")).load(),
                    teacher: PipelineFolder(runs.path("dense/model")).load(), in: context
                ).run()
            }
            try finetune(in: RunContext(output: runs.path("\(kind)-whole")))
            let stops = try runs.advance("\(kind)-run", stoppingAt: 4, finetune)
            #expect(!stops.isEmpty)
            for file in ["model/unet/diffusion_pytorch_model.safetensors", "metrics.jsonl", "run.json"] {
                #expect(try runs.data("\(kind)-run/\(file)") == runs.data("\(kind)-whole/\(file)"), "\(file)")
            }
        }
    }

    /// What is drawn is told of and counted: pictures for all steps at once, trajectories pool after pool.
    @Test(arguments: [("images", 6), ("trajectories", 24)]) func drawingIsForetold(kind: String, count: Int) throws {
        let runs = try RunFixtures()
        try runs.train("dense", "steps=2")
        // Eight steps of six points are four pools of six ways of two points.
        let configuration = try configuration(
            runs, method: "one-shot", ["recovery.generated=\(kind)", "finetuning.batch_size=6"])
        let forecast = try workflow(runs, configuration, in: RunContext(output: runs.path("out"))).forecast()
        let items = try #require(forecast.outlook).items
        let noun = kind == "images" ? "picture" : "trajectory"
        #expect(items.first { $0.noun == noun }?.count == count, "\(items)")
        #expect(items.first { $0.noun == noun }.map { $0.seconds > 0 } == true)
        #expect(!FileManager.default.fileExists(atPath: runs.path("out").path))
        nonisolated(unsafe) var told: [String] = []
        try prune(
            runs, configuration,
            in: RunContext(
                output: runs.path("out"), progress: { if $0.phase == "drawing" { told.append($0.position) } })
        )
        #expect(told.first == "drawing \(noun) 1 of 6" && told.contains("drawing \(noun) 6 of 6"), "\(told)")
        let begun = told.count { $0 == "drawing \(noun) 1 of 6" }
        #expect(begun == count / 6, "\(told)")
    }

    @Test func whatIsDrawnIsLearnedFromAtOtherPicturesThanAreEverJudged() throws {
        #expect(SamplingRequest.maximumCount <= 1_000_000)
        var settings = EvaluationSettings()
        settings.count = 1_000_001
        #expect(throws: (any Error).self) { try settings.validate() }
    }

    // MARK: configuration

    @Test func whatADenseModelDrawsIsImitatedUnlessSaidOtherwise() throws {
        func read(_ overrides: [String], data: String? = nil) throws -> PruningRunConfiguration {
            try PruningRunConfiguration(file: nil, overrides: overrides, data: data)
        }
        let images = try read(["recovery.generated=images"])
        #expect(!images.isWithoutImages && images.method == "gradient-flow" && images.finetuning.steps == 1000)
        #expect(images.recovery.distillation == 1 && images.recovery.generation.generatedShare == 1)
        #expect(try read(["recovery.generated=images", "recovery.distillation=0.25"]).recovery.distillation == 0.25)
        #expect(try read(["recovery.generated=images"], data: "d").recovery.generation.generatedShare == 0.5)
        // Nothing said, nothing changed.
        let bare = try read([])
        #expect(bare.isWithoutImages && bare.method == "magnitude" && bare.recovery.distillation == 0)
        #expect(try read([], data: "d").recovery.distillation == 0)
        // What a run resolved to is what it stores.
        let yaml = try images.yaml
        #expect(yaml.contains("generated_count: 1024") && yaml.contains("generated_passes: 0"))
    }

    @Test(arguments: [
        (["recovery.generated=pictures"], "images"),
        (["recovery.generated=trajectories", "recovery.distillation=0.5"], "expected 1 with trajectories alone"),
        (["recovery.generated=images", "recovery.generated_share=0.5"], "or images (--data)"),
        (["recovery.generated=images", "recovery.generated_steps=0"], "1...1000"),
    ])
    func whatCannotBeIsRefused(overrides: [String], words: String) throws {
        #expect {
            _ = try PruningRunConfiguration(file: nil, overrides: overrides)
        } throws: {
            "\($0)".contains(words)
        }
    }

    @Test func drawingThatNothingIsMadeOfIsRefused() throws {
        let runs = try RunFixtures()
        try runs.train("dense", "steps=2")
        func expectRefused(_ words: String, method: String, data: Bool = false, _ overrides: [String]) throws {
            let configuration = try configuration(
                runs, method: method, data: data, ["recovery.generated=images", "finetuning.steps=0"] + overrides)
            #expect {
                try prune(runs, configuration, in: RunContext(output: runs.path("out")))
            } throws: {
                "\($0)".contains(words)
            }
            #expect(!FileManager.default.fileExists(atPath: runs.path("out").path))
        }
        try expectRefused("none where nothing is fine-tuned", method: "magnitude", [])
        try expectRefused("none where nothing is fine-tuned", method: "taylor", data: true, [])
        // Scores alone are something.
        try prune(
            runs, configuration(runs, method: "taylor", ["recovery.generated=images", "finetuning.steps=0"]),
            in: RunContext(output: runs.path("scored"))
        )
    }

    @Test func finetuneHasNothingToDrawWithButATeacher() {
        #expect {
            _ = try FinetuningRunConfiguration(file: nil, overrides: ["recovery.generated=images"], hasTeacher: false)
        } throws: {
            "\($0)".contains("there is no teacher to draw them")
        }
    }
}
