import TestSupport
import Diffusion
import Foundation
import ModelFolders
import Models
import Runs
import Testing

@testable import Workflows

@Suite struct QuickstartTests {
    /// The bundled model's kind, but tiny and untrained.
    private func tinyModel(_ url: URL) throws {
        var configuration = UNetConfiguration()
        configuration.sampleSize = [32, 32]
        configuration.inChannels = 1
        configuration.outChannels = 1
        configuration.downBlockTypes = ["DownBlock2D", "DownBlock2D"]
        configuration.upBlockTypes = ["UpBlock2D", "UpBlock2D"]
        configuration.blockOutChannels = [8, 16]
        configuration.layersPerBlock = 1
        configuration.normNumGroups = 4
        let model = try UNet(configuration)
        model.initialize(seed: 3)
        try PipelineFolder(url).save(Pipeline(model: model, scheduler: SchedulerConfiguration()))
    }

    @Test func prunesDrawsComparesAndReports() throws {
        try withTemporaryFolder { folder in
            let model = folder.appendingPathComponent("model")
            try tinyModel(model)
            var settings = EvaluationSettings()
            settings.count = 4
            settings.steps = 3
            let outcome = try QuickstartWorkflow(
                samples: BundledSamples(folder: Repository.url("Samples")), model: model,
                overrides: [
                    "method.rounds=2", "pruning.calibration_batches=1",
                    "pruning.calibration_batch_size=4", "pruning.granularity=channel", "finetuning.steps=4",
                    "finetuning.batch_size=4",
                    "finetuning.log_every=1",
                ], evaluation: settings, in: RunContext(output: folder.appendingPathComponent("out"))
            ).run()
            let names = try FileManager.default.subpathsOfDirectory(atPath: outcome.output.path)
            for name in [
                "report.html", "grid.png", "metrics.json", "images/dense/000000.png", "images/pruned/000003.png",
                "run/model/pruning.json", "run/config.yaml", "run/metrics.jsonl",
            ] {
                #expect(names.contains(name), "\(name)")
            }
            #expect(abs(outcome.evaluation.efficiency.macs.ratio - 0.5) < 0.05)
            guard case .measured = outcome.evaluation.quality else {
                Issue.record("the bundled feature net was not used")
                return
            }
            for line in ["MACs", "parameters", "time", "file", "SSIM", "PSNR", outcome.report.path, outcome.grid.path] {
                #expect(outcome.summary.contains(line), "\(line)")
            }
            let page = try String(contentsOf: outcome.report, encoding: .utf8)
            #expect(page.contains("MACs left after each mask update"))
            #expect(page.contains("diffprune prune --model"))
        }
    }

    @Test func missingSamplesAreNamed() throws {
        try withTemporaryFolder { folder in
            #expect(throws: BundledSamples.Failure.self) {
                try QuickstartWorkflow(
                    samples: BundledSamples(folder: folder),
                    in: RunContext(output: folder.appendingPathComponent("out")))
            }
            #expect(!FileManager.default.fileExists(atPath: folder.appendingPathComponent("out").path))
        }
    }

    @Test func everyRunGetsAFolderOfItsOwn() throws {
        try withTemporaryFolder { folder in
            #expect(QuickstartWorkflow.freshFolder(in: folder).lastPathComponent == "diffprune-quickstart")
            for name in ["diffprune-quickstart", "diffprune-quickstart-2"] {
                try FileManager.default.createDirectory(
                    at: folder.appendingPathComponent(name), withIntermediateDirectories: false)
            }
            #expect(QuickstartWorkflow.freshFolder(in: folder).lastPathComponent == "diffprune-quickstart-3")
        }
    }
}
