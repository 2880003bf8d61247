import Files
import Foundation
import TestSupport
import Testing
import WeightFiles

/// Models as people have them: half precision, variants, wrappers, other schedulers, runs in place of models.
@Suite struct ModelFormsTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func copy(_ name: String, of fixture: String = "unet/plain") throws -> URL {
        let url = scratch.url.appendingPathComponent(name)
        try FileManager.default.copyItem(at: Fixtures.url(fixture), to: url)
        return url
    }

    private func weights(_ model: URL, _ variant: String = "") -> URL {
        model.appendingPathComponent("unet/diffusion_pytorch_model\(variant).safetensors")
    }

    private func prune(_ model: URL, to name: String, _ more: String...) throws -> Tool.Result {
        let target = more.contains("--target") ? [] : ["--target", "macs=0.6"]
        let arguments = ["prune", "--model", model.path, "--output", scratch.path(name), "--method", "magnitude"]
        return try Tool.run(arguments + ["--finetune-steps", "0", "--quiet", "--threads", "1"] + target + more)
    }

    private func info(_ path: String, _ more: String...) throws -> JSONValue {
        let result = try Tool.run(["info", "--model", path, "--json"] + more)
        #expect(result.status == 0, "\(result.errors)")
        return try JSONValue(parsing: result.output)
    }

    private func edit(_ file: URL, _ members: JSONValue) throws {
        try JSONFile.write(try JSONFile.read(file).overlaid(with: members), to: file, style: .foreign)
    }

    // MARK: weights

    @Test func aHalfPrecisionModelStaysOne() throws {
        let model = try copy("model", of: "unet/float16")
        try FileManager.default.moveItem(at: weights(model), to: weights(model, ".fp16"))
        let dense = try info(model.path)
        #expect(dense["dtype"] == "float16")
        #expect(try dense["bytes"]?.intValue == Data(contentsOf: weights(model, ".fp16")).count)

        #expect(try prune(model, to: "half", "--target", "params=0.5").status == 0)
        #expect(try prune(model, to: "full", "--target", "params=0.5", "--dtype", "float32").status == 0)
        let (half, full) = (try info(scratch.path("half/model")), try info(scratch.path("full/model")))
        #expect(half["dtype"] == "float16" && full["dtype"] == "float32")
        // The files compare as the parameters do, but for names and shapes.
        let bytes = try [dense, half, full].map { Double(try #require($0["bytes"]?.intValue)) }
        #expect(bytes[1] < 0.8 * bytes[0] && bytes[1] < 0.8 * bytes[2])
        let text = try Tool.run("info", "--model", scratch.path("half/model")).output
        #expect(text.contains("KiB, float16") || text.contains("B, float16"))
        let refused = try prune(model, to: "none", "--dtype", "fp16")
        #expect(
            refused.status == 64
                && refused.errors.contains(
                    "--dtype is 'fp16', expected one of float32, float16, bfloat16; the nearest is float16")
        )
    }

    @Test func aVariantIsChosen() throws {
        let model = try copy("model")
        for variant in [".fp16", ".ema"] {
            try FileManager.default.copyItem(at: weights(model), to: weights(model, variant))
        }
        let plain = try Data(contentsOf: weights(model)).count
        // The plain ones are read, and counted alone.
        #expect(try info(model.path)["bytes"]?.intValue == plain)
        try FileManager.default.removeItem(at: weights(model))
        let refused = try Tool.run("info", "--model", model.path)
        #expect(refused.status == 65 && refused.complaints.count == 1)
        #expect(refused.errors.contains("'ema', 'fp16'") && refused.errors.contains("--variant"))
        #expect(try info(model.path, "--variant", "fp16")["bytes"]?.intValue == plain)
        // Of two models the one that has it; of none it is said.
        #expect(try prune(model, to: "run", "--variant", "ema").status == 0)
        let evaluate = [
            "evaluate", "--dense", model.path, "--pruned", scratch.path("run"), "--count", "2", "--steps", "2",
            "--quiet",
            "--output", scratch.path("evaluation"), "--variant",
        ]
        #expect(try Tool.run(evaluate + ["bf16"]).errors.contains("expected one of 'ema', 'fp16'"))
        let compared = try Tool.run(evaluate + ["ema"])
        #expect(compared.status == 0, "\(compared.errors)")
        let metrics = try JSONFile.read(scratch.url.appendingPathComponent("evaluation/metrics.json"))
        #expect(metrics["efficiency"]?["file_bytes"]?["dense"]?.doubleValue == Double(plain))
    }

    @Test func aCompiledModelsNamesAreRead() throws {
        let model = try copy("model")
        let source = try SafetensorsFile(contentsOf: weights(model))
        let tensors = try source.names.map {
            NamedTensor("_orig_mod." + $0, shape: try source.shape(of: $0), floats: try source.floats($0))
        }
        try SafetensorsWriter.write(tensors, to: weights(model))
        let result = try Tool.run("info", "--model", model.path)
        #expect(result.status == 0 && result.complaints.count == 1 && result.errors.contains("'_orig_mod.'"))
        var mixed = tensors
        mixed[0].name = String(mixed[0].name.dropFirst("_orig_mod.".count))
        try SafetensorsWriter.write(mixed, to: weights(model))
        let refused = try Tool.run("info", "--model", model.path)
        #expect(
            refused.status == 65 && refused.errors.contains("begin with '_orig_mod.', expected all of them or none"))
    }

    /// Nothing is lost where the result does not fit its type: the run goes on with another.
    @Test func aTypeTooNarrowKeepsTheRun() throws {
        let tiny = try TinyRun()
        #expect(try Tool.run(tiny.train(to: "a", "--set", "training.steps=2")).status == 0)
        let model = tiny.scratch.url.appendingPathComponent("a/model")
        let file = weights(model)
        let source = try SafetensorsFile(contentsOf: file)
        try SafetensorsWriter.write(
            source.names.map {
                let large = $0 == "conv_out.bias"
                return NamedTensor(
                    $0, shape: try source.shape(of: $0), floats: try source.floats($0).map { large ? 70000 : $0 })
            }, to: file)
        let finetune = [
            "finetune", "--model", model.path, "--output", tiny.scratch.path("b"), "--data", tiny.images, "--steps",
            "2",
            "--quiet", "--threads", "1", "--dtype",
        ]
        let refused = try Tool.run(finetune + ["float16"])
        #expect(refused.status == 65 && refused.complaints.count == 1 && refused.errors.contains("'conv_out.bias'"))
        #expect(!tiny.scratch.exists("b/model"))
        let resumed = try Tool.run(finetune + ["float32", "--resume"])
        #expect(resumed.status == 0 && tiny.scratch.exists("b/model"), "\(resumed.errors)")
    }

    // MARK: schedulers and pipelines

    @Test func anotherSchedulerServesWithAWarning() throws {
        let model = try copy("model")
        let file = model.appendingPathComponent("scheduler/scheduler_config.json")
        try edit(file, ["_class_name": "DPMSolverMultistepScheduler", "lambda_min_clipped": .double(-.infinity)])
        try edit(
            model.appendingPathComponent("model_index.json"),
            ["scheduler": ["diffusers", "DPMSolverMultistepScheduler"]])
        let sample = try Tool.run(
            "sample", "--model", model.path, "--output", scratch.path("pictures"), "--count", "1", "--steps", "2",
            "--quiet")
        #expect(sample.status == 0 && sample.complaints.count == 1 && sample.errors.contains("steps of DDIM or DDPM"))
        // The noise schedule is the same, and so are the pictures.
        let plain = Fixtures.url("unet/plain").path
        try Tool.run(
            "sample", "--model", plain, "--output", scratch.path("plain"), "--count", "1", "--steps", "2", "--sampler",
            "ddim", "--quiet")
        #expect(try scratch.data("pictures/grid.png") == scratch.data("plain/grid.png"))
        #expect(try prune(model, to: "run").status == 0)
        #expect(try scratch.data("run/model/scheduler/scheduler_config.json") == Data(contentsOf: file))
    }

    /// A model can be trained for a scheduler of any class with betas, with the keys of the class.
    @Test func trainingTakesOtherSchedulersToo() throws {
        let tiny = try TinyRun()
        for (name, keys) in [
            ("PNDMScheduler", ["beta_schedule=scaled_linear", "prediction_type=v_prediction"]),
            ("DDIMScheduler", ["set_alpha_to_one=false"]),
        ] {
            let settings = (["_class_name=\(name)"] + keys).map { "scheduler.\($0)" }
            let result = try Tool.run(tiny.train(to: name, "--set", "training.steps=1") + settings)
            #expect(result.status == 0, "\(result.errors)")
            let written = try JSONFile.read(
                tiny.scratch.url.appendingPathComponent("\(name)/model/scheduler/scheduler_config.json"))
            #expect(written["_class_name"] == .string(name))
            let resumed = try Tool.run(
                "train", "--config", tiny.scratch.path("\(name)/config.yaml"), "--output", tiny.scratch.path(name),
                "--resume", "--quiet")
            #expect(resumed.status == 0, "\(resumed.errors)")
        }
    }

    @Test func withoutBetasWhatNeedsNoneWorks() throws {
        let model = try copy("model")
        try JSONFile.write(
            ["_class_name": "ScoreSdeVeScheduler", "num_train_timesteps": 2000],
            to: model.appendingPathComponent("scheduler/scheduler_config.json"))
        try edit(
            model.appendingPathComponent("model_index.json"),
            ["_class_name": "ScoreSdeVePipeline", "scheduler": ["diffusers", "ScoreSdeVeScheduler"]])
        #expect(try info(model.path)["scheduler"] == "ScoreSdeVeScheduler")
        let bench = try Tool.run(
            "bench", "--model", model.path, "--batch", "1", "--runs", "1", "--steps", "2", "--threads", "1")
        #expect(bench.status == 0, "\(bench.errors)")
        let predict = try Tool.run(
            "predict", "--model", model.path, "--input", Tool.fixture("unet/plain/io.safetensors"), "--output",
            scratch.path("p.safetensors"))
        #expect(predict.status == 0, "\(predict.errors)")
        #expect(try prune(model, to: "run").status == 0)
        for command in [
            ["sample", "--model", model.path, "--output", scratch.path("o")],
            ["evaluate", "--dense", model.path, "--pruned", model.path, "--output", scratch.path("o")],
            [
                "score", "--model", model.path, "--criterion", "taylor", "--batch", scratch.path("p.safetensors"),
                "--output",
                scratch.path("s.safetensors"),
            ],
        ] {
            let refused = try Tool.run(command + ["--quiet"])
            #expect(refused.status == 65, "\(command[0])")
            #expect(refused.complaints.last?.contains("'ScoreSdeVeScheduler' gives no noise schedule") == true)
            #expect(!scratch.exists("o"))
        }
    }

    @Test func aModelOfLatentsIsRefusedByEveryCommand() throws {
        let model = try copy("model")
        try edit(
            model.appendingPathComponent("model_index.json"),
            ["_class_name": "LDMPipeline", "vqvae": ["diffusers", "VQModel"]])
        for command in [
            ["info", "--model", model.path], ["bench", "--model", model.path],
            ["sample", "--model", model.path, "--output", scratch.path("o")],
            [
                "prune", "--model", model.path, "--output", scratch.path("o"), "--method", "magnitude",
                "--finetune-steps", "0",
            ],
            ["evaluate", "--dense", model.path, "--pruned", model.path, "--output", scratch.path("o")],
        ] {
            let refused = try Tool.run(command)
            #expect(refused.status == 65 && refused.complaints.count == 1, "\(command[0]): \(refused.errors)")
            #expect(refused.errors.contains("of latents, expected one of pixels") && !scratch.exists("o"))
        }
    }

    // MARK: folders

    @Test func aRunStandsForItsModel() throws {
        let model = try copy("model")
        #expect(try prune(model, to: "run").status == 0)
        #expect(try info(scratch.path("run")) == info(scratch.path("run/model")))
        let evaluated = try Tool.run(
            "evaluate", "--dense", model.path, "--pruned", scratch.path("run"), "--count", "2", "--steps", "2",
            "--quiet",
            "--output", scratch.path("evaluation"))
        #expect(evaluated.status == 0, "\(evaluated.errors)")
        // The report is as of RUN/model.
        #expect(try scratch.text("evaluation/report.html").contains("The pruning run"))
        try FileManager.default.removeItem(at: scratch.url.appendingPathComponent("run/model"))
        let refused = try Tool.run("info", "--model", scratch.path("run"))
        #expect(refused.status == 65 && refused.errors.contains("not finished") && refused.errors.contains("--resume"))
    }

    @Test func aNameOfTheHubGetsTheLineThatFetchesIt() throws {
        for command in [
            ["info", "--model"], ["prune", "--method", "magnitude", "--output", scratch.path("o"), "--model"],
        ] {
            let refused = try Tool.run(command + ["google/ddpm-cifar10-32"])
            #expect(refused.status == 65 && refused.complaints.count == 1)
            #expect(refused.errors.contains("hf download google/ddpm-cifar10-32 --local-dir ddpm-cifar10-32"))
        }
    }

    @Test func aPrunedModelWithoutItsRecordIsRecognised() throws {
        let model = try copy("model")
        #expect(try prune(model, to: "run").status == 0)
        try FileManager.default.removeItem(at: scratch.url.appendingPathComponent("run/model/pruning.json"))
        // The configuration says it too, unless another program wrote it.
        #expect(try info(scratch.path("run"))["pruning"] != nil)
        try edit(
            scratch.url.appendingPathComponent("run/model/unet/config.json"),
            ["_class_name": "UNet2DModel", "pruning": nil])
        for command in [["info"], ["sample", "--output", scratch.path("o")]] {
            let refused = try Tool.run(command + ["--model", scratch.path("run/model")])
            #expect(refused.status == 65 && refused.complaints.count == 1)
            #expect(refused.errors.contains("a pruned model without its pruning.json?"), "\(refused.errors)")
        }
    }

    @Test func pruningAgainKeepsTheHistory() throws {
        let model = try copy("model")
        #expect(try prune(model, to: "first", "--target", "params=0.7").status == 0)
        let second = try prune(
            scratch.url.appendingPathComponent("first"), to: "second", "--target", "params=0.8", "--seed", "5")
        #expect(second.status == 0, "\(second.errors)")
        #expect(second.output.contains("of the model given, which was pruned before:"))
        #expect(second.output.contains("of the dense model before all 2 prunings:"))
        let dense = try #require(try info(model.path)["parameters"]?.intValue)
        let json = try info(scratch.path("second"))
        let parameters = try #require(json["parameters"]?.intValue)
        let pruning = try #require(json["pruning"])
        #expect(pruning["history"]?.arrayValue?.count == 1)
        #expect(pruning["history"]?.arrayValue?[0]["asked"]?["value"] == .double(0.7))
        // Targets are of the model given; what is left of the dense one is said beside.
        let inAll = pruning["achieved_in_all"]?["parameters"]
        #expect(inAll?["dense"]?.intValue == dense && inAll?["pruned"]?.intValue == parameters)
        let given = try #require(pruning["achieved"]?["parameters"]?["dense"]?.intValue)
        #expect(given < dense && Double(parameters) <= 0.8 * Double(given))
        let text = try Tool.run("info", "--model", scratch.path("second")).output
        #expect(text.contains("pruned before by magnitude (seed 0), asked for params=0.7"))
        let evaluated = try Tool.run(
            "evaluate", "--dense", model.path, "--pruned", scratch.path("second"), "--count", "2", "--steps", "2",
            "--quiet", "--output", scratch.path("evaluation"))
        #expect(evaluated.status == 0, "\(evaluated.errors)")
        #expect(try scratch.text("evaluation/report.html").contains("of a model that was pruned before"))
        // Once more: all are kept, in order.
        #expect(
            try prune(scratch.url.appendingPathComponent("second"), to: "third", "--target", "params=0.9").status == 0)
        let third = try #require(try info(scratch.path("third"))["pruning"])
        #expect(third["history"]?.arrayValue?.compactMap { $0["seed"]?.intValue } == [0, 5])
    }

    // MARK: words

    @Test func messagesSayWhatTheFilesSay() throws {
        func evaluate(_ pruned: JSONValue) throws -> String {
            let name = "m\(try scratch.contents().count)"
            let model = try copy(name)
            try edit(model.appendingPathComponent("scheduler/scheduler_config.json"), pruned)
            return try Tool.run(
                "evaluate", "--dense", Tool.fixture("unet/plain"), "--pruned", model.path, "--output",
                scratch.path("o"),
                "--count", "2", "--steps", "2"
            ).errors
        }
        #expect(
            try evaluate(["beta_schedule": "squaredcos_cap_v2"]).contains(
                "beta_schedule squaredcos_cap_v2 in the pruned"))
        #expect(
            try evaluate(["prediction_type": "v_prediction"]).contains(
                "prediction_type is epsilon in the dense one and v_prediction"))
        #expect(try evaluate(["beta_end": 0.03]).contains("from 0.0001 to 0.03"))
        let model = try copy("two")
        try edit(model.appendingPathComponent("unet/config.json"), ["in_channels": 2, "out_channels": 2])
        let source = try SafetensorsFile(contentsOf: weights(model))
        try SafetensorsWriter.write(
            source.names.map { name in
                var shape = try source.shape(of: name)
                let floats = try source.floats(name)
                if name == "conv_in.weight" { shape[1] *= 2 }
                if name.hasPrefix("conv_out.") { shape[0] *= 2 }
                let isWider = shape != (try source.shape(of: name))
                return NamedTensor(name, shape: shape, floats: isWider ? floats + floats : floats)
            }, to: weights(model))
        let refused = try Tool.run("sample", "--model", model.path, "--output", scratch.path("o"))
        #expect(refused.status == 65 && refused.complaints.count == 1)
        #expect(refused.errors.contains("the model's images have 2 channels, expected 1 (grey), 3 (RGB) or 4 (RGBA)"))
    }
}
