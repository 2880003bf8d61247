import Files
import Foundation
import ModelFolders
import TestSupport
import Testing

/// Granularity `level` as a user meets it: a folder that says everything by `block_out_channels`.
@Suite struct LevelPruningTests {
    private let weights = "model/unet/diffusion_pytorch_model.safetensors"
    private let sample = Repository.url("Samples/models/fashion-unet").path

    private func prune(_ model: String, to output: String, _ target: String, _ more: String...) throws -> Tool.Result {
        try Tool.run(
            [
                "prune", "--model", model, "--output", output, "--method", "magnitude", "--target", target,
                "--finetune-steps", "0", "--quiet", "--set", "pruning.granularity=level",
            ] + more)
    }

    @Test func theBundledModelBecomesAnOrdinarySmallerOne() throws {
        let scratch = try Scratch()
        let result = try prune(sample, to: scratch.path("run"), "macs=0.5")
        #expect(result.status == 0 && result.complaints.isEmpty, "\(result.errors)")

        let config = try JSONFile.read(scratch.url.appendingPathComponent("run/model/unet/config.json"))
        #expect(config["_class_name"]?.stringValue == "UNet2DModel")
        #expect(config["pruning"] == nil && config["auto_map"] == nil)
        let widths = try #require(config["block_out_channels"]?.arrayValue).compactMap(\.intValue)
        #expect(widths.count == 4 && widths[0] == widths[1] && widths != [32, 32, 64, 96])
        #expect(!scratch.exists("run/model/unet/modeling_diffprune.py"))
        let index = try JSONFile.read(scratch.url.appendingPathComponent("run/model/model_index.json"))
        #expect(index["unet"]?.arrayValue?.compactMap(\.stringValue) == ["diffusers", "UNet2DModel"])

        let pruned = try PipelineFolder(scratch.url.appendingPathComponent("run/model")).load()
        let record = try #require(pruned.pruning)
        #expect(record.granularity == "level" && record.keptChannels.isEmpty)
        #expect(record.achieved.macs.dense > 170e6 && record.achieved.macs.ratio <= 0.5)
        #expect(record.achieved.macs.ratio > 0.4)
        #expect(pruned.model.configuration.blockOutChannels == widths)

        // Once more, of what became of it, with limits of two kinds.
        let again = try prune(scratch.path("run/model"), to: scratch.path("again"), "macs=0.6,params=0.5")
        #expect(again.status == 0 && again.complaints.isEmpty, "\(again.errors)")
        let second = try #require(
            try PipelineFolder(scratch.url.appendingPathComponent("again/model")).load().pruning)
        #expect(second.history?.count == 1)
        #expect(second.achieved.macs.ratio <= 0.6 && second.achieved.parameters.ratio <= 0.5)
        #expect(second.achievedInAll?.macs.dense == record.achieved.macs.dense)
        let info = try Tool.run("info", "--model", scratch.path("again/model"))
        #expect(info.status == 0 && info.output.contains("of the dense model before all 2 prunings"))
    }

    @Test func whatCannotBeReachedIsSaidBefore() throws {
        let scratch = try Scratch()
        let result = try prune(sample, to: scratch.path("run"), "macs=0.001", "--dry-run")
        #expect(result.status != 0)
        #expect(result.errors.contains("8 of 32 in block_out_channels[0, 1]"), "\(result.errors)")
        #expect(!scratch.exists("run"))
    }

    @Test func aKilledRunReachesTheSameBits() throws {
        let tiny = try TinyRun()
        let scratch = tiny.scratch
        #expect(try Tool.run(tiny.train(to: "dense", "--set", "training.steps=30")).status == 0)
        func prune(_ name: String) -> [String] {
            tiny.prune("dense/model", to: name, "pruning.granularity=level", "finetuning.log_every=5")
        }
        let whole = try Tool.run(prune("whole"))
        #expect(whole.status == 0, "\(whole.errors)")
        let config = try JSONFile.read(scratch.url.appendingPathComponent("whole/model/unet/config.json"))
        #expect(config["_class_name"]?.stringValue == "UNet2DModel")
        // Soft masks, and after the channels have left.
        var resume: [String] = []
        for moment in ["\"step\": 10}", "\"step\": 40}"] {
            let process = try Tool.start(prune("killed") + resume, in: scratch)
            while process.isRunning, (try? scratch.text("killed/metrics.jsonl"))?.contains(moment) != true {
                usleep(200)
            }
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            #expect(process.terminationReason == .uncaughtSignal, "the run had ended before \(moment)")
            resume = ["--resume"]
        }
        let resumed = try Tool.run(prune("killed") + resume)
        #expect(resumed.status == 0, "\(resumed.errors)")
        for file in [weights, "metrics.jsonl", "model/unet/config.json"] {
            #expect(try scratch.data("killed/\(file)") == scratch.data("whole/\(file)"), "\(file)")
        }
    }
}
