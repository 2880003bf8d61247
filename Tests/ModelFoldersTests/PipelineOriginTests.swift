import Files
import Foundation
import TestSupport
import Testing

@testable import ModelFolders

/// What a folder says beside the network: its pipeline and its scheduler.
@Suite struct PipelineOriginTests {
    private func refusal(_ url: URL) -> String {
        "\(error(ModelFolderError.self) { _ = try PipelineFolder(url).load() }.map { "\($0)" } ?? "loaded")"
    }

    // MARK: pipelines

    @Test func modelsOfLatentsAreRefused() throws {
        try withTemporaryFolder { folder in
            let copy = try ModelCopy(in: folder)
            try copy.edit(copy.index, ["_class_name": "LDMPipeline", "vqvae": ["diffusers", "VQModel"]])
            #expect(
                refusal(copy.url).contains("a vqvae ('VQModel') beside the U-Net, and the pipeline is a 'LDMPipeline'"))
            // Its U-Net by itself is no other.
            #expect(refusal(copy.unet).contains("of latents"))
            // Named by the index or not, a folder tells.
            try copy.edit(copy.index, ["_class_name": "DDPMPipeline", "vqvae": [nil, nil]])
            #expect(refusal(copy.url) == "loaded")
            let vae = copy.url.appendingPathComponent("vae")
            try FileManager.default.createDirectory(at: vae, withIntermediateDirectories: false)
            try JSONFile.write([:], to: vae.appendingPathComponent("config.json"))
            #expect(refusal(copy.url).contains("there is a vae beside the U-Net"))
        }
    }

    @Test func otherPipelinesAreRefusedByName() throws {
        try withTemporaryFolder { folder in
            let copy = try ModelCopy(in: folder)
            for name in PipelineIndex.pixelPipelines {
                try copy.edit(copy.index, ["_class_name": .string(name)])
                #expect(refusal(copy.url) == "loaded", "\(name)")
            }
            try copy.edit(copy.index, ["_class_name": "MyOwn\u{1B}Pipeline"])
            let text = refusal(copy.url)
            #expect(text.contains("'MyOwn") && text.contains("DDPMPipeline") && !text.contains("\u{1B}"))
            // The way out that the message names.
            #expect(text.hasSuffix("name the U-Net itself, \(copy.unet.path)") && refusal(copy.unet) == "loaded")
        }
    }

    // MARK: schedulers

    @Test func aSchedulersFileIsSavedAsItWas() throws {
        try withTemporaryFolder { folder in
            let copy = try ModelCopy(in: folder)
            try copy.edit(
                copy.scheduler,
                [
                    "_class_name": "DPMSolverMultistepScheduler", "lambda_min_clipped": .double(-.infinity),
                    "solver_order": 2, "prediction_type": "v_prediction",
                ])
            try copy.edit(copy.index, ["scheduler": ["diffusers", "DPMSolverMultistepScheduler"]])
            let pipeline = try PipelineFolder(copy.url).load()
            #expect(try pipeline.scheduler.predictionType == .velocity)
            #expect(pipeline.warnings.count == 1 && pipeline.warnings[0].contains("DPMSolverMultistepScheduler"))
            #expect(pipeline.facts["scheduler"] == "DPMSolverMultistepScheduler")
            let saved = PipelineFolder(folder.appendingPathComponent("saved"))
            try saved.save(pipeline)
            let file = saved.url.appendingPathComponent("scheduler/scheduler_config.json")
            #expect(try text(file) == text(copy.scheduler) && text(file).contains("-Infinity"))
            let index = try JSONFile.read(saved.url.appendingPathComponent("model_index.json"))
            #expect(index["scheduler"] == ["diffusers", "DPMSolverMultistepScheduler"])
            #expect(index["_class_name"] == "DDPMPipeline")
            #expect(try saved.load().digests() == pipeline.digests())
        }
    }

    @Test func withoutBetasTheModelLoadsAndHasNoSchedule() throws {
        try withTemporaryFolder { folder in
            let copy = try ModelCopy(in: folder)
            try JSONFile.write(
                ["_class_name": "ScoreSdeVeScheduler", "num_train_timesteps": 2000, "sigma_max": 1348.0],
                to: copy.scheduler)
            try copy.edit(
                copy.index, ["_class_name": "ScoreSdeVePipeline", "scheduler": ["diffusers", "ScoreSdeVeScheduler"]])
            let pipeline = try PipelineFolder(copy.url).load()
            #expect(try PipelineFixture.named("plain").deviation(of: pipeline.model) <= 1e-4)
            #expect(pipeline.warnings.count == 1 && pipeline.warnings[0].contains("no noise schedule"))
            let got = error(ModelFolderError.self) { _ = try pipeline.scheduler }
            #expect(got.map { "\($0)" }?.contains("'ScoreSdeVeScheduler' gives no noise schedule") == true)
            // Time can be taken by any; no step is at 0, where such a model need not be defined.
            #expect(pipeline.timingScheduler.trainTimesteps == 2000 && pipeline.timingScheduler.stepsOffset == 1)
            #expect(pipeline.facts["train_timesteps"] == JSONValue.null)
            let saved = PipelineFolder(folder.appendingPathComponent("saved"))
            try saved.save(pipeline)
            #expect(
                try JSONFile.read(saved.url.appendingPathComponent("model_index.json"))["_class_name"]
                    == "ScoreSdeVePipeline")
            #expect(try saved.load().digests() == pipeline.digests())
        }
    }

    /// diffusers makes a scheduler of the class that the index names, whatever class wrote its file.
    @Test func theIndexNamesTheSchedulersClass() throws {
        try withTemporaryFolder { folder in
            let copy = try ModelCopy(in: folder)
            try copy.edit(copy.scheduler, ["_class_name": "PNDMScheduler", "clip_sample": false])
            try copy.edit(copy.index, ["scheduler": ["diffusers", "DDIMScheduler"]])
            let pipeline = try PipelineFolder(copy.url).load()
            #expect(try pipeline.scheduler.schedulerClass == .ddim && !pipeline.scheduler.clipSample)
            #expect(pipeline.warnings.count == 1 && pipeline.warnings[0].contains("read as the 'DDIMScheduler'"))
        }
    }

    // MARK: configurations

    @Test func aByteOrderMarkIsPassedOver() throws {
        try withTemporaryFolder { folder in
            let copy = try ModelCopy(in: folder)
            for file in [copy.unet.appendingPathComponent("config.json"), copy.scheduler, copy.index] {
                try (Data([0xEF, 0xBB, 0xBF]) + Data(contentsOf: file)).write(to: file)
            }
            #expect(refusal(copy.url) == "loaded")
        }
    }

    private static let otherPredictions: [(JSONValue, String)] = [
        (["norm_eps": .double(.infinity)], "'norm_eps' is Infinity, expected a finite number"),
        (["flip_sin_to_cos": nil], "'flip_sin_to_cos' is null, expected true or false"),
        (["add_attention": nil], "'add_attention' is null"),
        (["mid_block_type": "UNetMidBlock2DCrossAttn"], "'mid_block_type' is 'UNetMidBlock2DCrossAttn', expected"),
        (
            ["down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"]],
            "'down_block_types' is 'CrossAttnDownBlock2D'"
        ),
        (["up_block_types": ["UpBlock2D", "KUpBlock2D"]], "'up_block_types' is 'KUpBlock2D'"),
        (["time_embedding_type": "sinusoidal"], "expected one of positional, fourier, learned"),
        (["act_fn": "elu"], "expected one of silu, swish, gelu, mish, relu"),
        (["resnet_time_scale_shift": "ada_group"], "expected one of default, scale_shift"),
        (["class_embed_type": "projection"], "expected one of timestep, identity"),
        (["downsample_type": "fir"], "expected one of conv, resnet"),
        (["upsample_type": "fir"], "expected one of conv, resnet"),
        (["quantization_config": ["quant_method": "bitsandbytes"]], "quantised weights are not read"),
    ]

    @Test(arguments: otherPredictions)
    func whatWouldPredictOtherwiseIsRefusedByKey(members: JSONValue, words: String) throws {
        try withTemporaryFolder { folder in
            let copy = try ModelCopy(in: folder)
            try copy.edit(copy.unet.appendingPathComponent("config.json"), members)
            #expect(refusal(copy.url).contains(words), "\(refusal(copy.url))")
        }
    }

    @Test func unknownKeysAreTheirNearestOnes() throws {
        try withTemporaryFolder { folder in
            let copy = try ModelCopy(in: folder)
            try copy.edit(copy.unet.appendingPathComponent("config.json"), ["norm_num_group": 2, "only\u{1B}": 1])
            let warnings = try PipelineFolder(copy.url).load().warnings
            #expect(warnings.count == 2 && warnings[0].hasSuffix("did you mean 'norm_num_groups'?"))
            #expect(!warnings[1].contains("\u{1B}") && !warnings[1].contains("did you mean"))
        }
    }

    // MARK: folders that stand for others

    @Test func aFinishedRunStandsForItsModel() throws {
        try withTemporaryFolder { folder in
            let copy = try ModelCopy(in: folder)
            let run = folder.appendingPathComponent("quick/run")
            try FileManager.default.createDirectory(at: run, withIntermediateDirectories: true)
            #expect(refusal(run).contains("neither unet/config.json nor config.json"))
            try JSONFile.write(["command": "prune"], to: run.appendingPathComponent("run.json"))
            for folder in [run, run.deletingLastPathComponent()] {
                #expect(
                    refusal(folder).hasSuffix(
                        "not finished, so it has no model yet; go on with it by --resume of diffprune prune"))
            }
            let model = run.appendingPathComponent("model")
            try FileManager.default.moveItem(at: copy.url, to: model)
            for folder in [run, run.deletingLastPathComponent()] {
                #expect(try LoadedPipeline(folder).folder.url.path == model.path)
                #expect(try ModelFamilies.folder(at: folder) is PipelineFolder)
                #expect(try PipelineFolder(folder).weightBytes() == PipelineFolder(model).weightBytes())
            }
        }
    }

    @Test(arguments: [
        ("google/ddpm-cifar10-32", "google/ddpm-cifar10-32"),
        ("https://huggingface.co/google/ddpm-cifar10-32/tree/main", "google/ddpm-cifar10-32"),
        ("hf://google/ddpm-cifar10-32", "google/ddpm-cifar10-32"),
    ])
    func aNameOfTheHubIsFetched(typed: String, repository: String) throws {
        let line = "hf download \(repository) --local-dir ddpm-cifar10-32"
        #expect(refusal(URL(fileURLWithPath: typed)).hasSuffix(line), "\(refusal(URL(fileURLWithPath: typed)))")
        let got = error(ModelFolderError.self) { _ = try ModelFamilies.folder(at: URL(fileURLWithPath: typed)) }
        #expect(got.map { "\($0)" }?.hasSuffix(line) == true)
    }

    @Test(arguments: [
        "models", "a/b/c", "/nowhere/model", "../models/mine", "./.hidden/x", "a b/c", "Sources/none", "a/$(x)",
    ])
    func whatLooksLikeAPathIsOne(typed: String) {
        #expect(throws: StorageError.missing(path: URL(fileURLWithPath: typed).path)) {
            try PipelineFolder(URL(fileURLWithPath: typed)).load()
        }
    }
}
