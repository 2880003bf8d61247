import Foundation
import Testing
import WeightFiles

/// Every bad input gives one `error:` line, its status, and leaves nothing behind.
@Suite struct BadInputTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// - Returns: the line.
    @discardableResult
    func expectRefused(
        _ arguments: [String], status: Int32, saying words: String..., sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> String {
        let before = try scratch.contents()
        let result = try Tool.run(arguments)
        let lines = result.errors.split(separator: "\n").map(String.init)
        #expect(result.status == status, "\(arguments): \(result.errors)", sourceLocation: sourceLocation)
        #expect(lines.count == 1, "\(arguments): \(result.errors)", sourceLocation: sourceLocation)
        #expect(result.output.isEmpty, sourceLocation: sourceLocation)
        for word in ["error: "] + words {
            #expect(result.errors.contains(word), "\(arguments): \(result.errors)", sourceLocation: sourceLocation)
        }
        #expect(try scratch.contents() == before, "\(arguments) left something", sourceLocation: sourceLocation)
        return result.errors
    }

    var model: String { Tool.fixture("unet/plain") }
    var out: String { scratch.path("out") }

    /// A copy of the plain model for the test to break.
    func copy(_ name: String = "model", of fixture: String = "unet/plain") throws -> URL {
        let url = scratch.url.appendingPathComponent(name)
        try FileManager.default.copyItem(at: URL(fileURLWithPath: Tool.fixture(fixture)), to: url)
        return url
    }

    private func weights(_ model: URL) -> URL {
        model.appendingPathComponent("unet/diffusion_pytorch_model.safetensors")
    }

    private func edit(_ file: URL, _ change: (inout [String: Any]) -> Void) throws {
        var json = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
        change(&json)
        try JSONSerialization.data(withJSONObject: json).write(to: file)
    }

    @Test func usage() throws {
        try expectRefused(["prun"], status: 64, saying: "'prune'")
        try expectRefused(["info", "--modle", "x"], status: 64, saying: "'--model'")
        try expectRefused(["info"], status: 64, saying: "--model")
        try expectRefused(["info", "--model"], status: 64, saying: "--model")
        try expectRefused(["info", "--model", model, "more"], status: 64, saying: "more")
        try expectRefused(["info", "--model", model, "--threads", "0"], status: 64, saying: "1...256")
        try expectRefused(["info", "--model", model, "--threads", "many"], status: 64, saying: "many")
        let sample = ["sample", "--model", model, "--output", out]
        try expectRefused(sample + ["--sampler", "ddpn"], status: 64, saying: "'ddpm'")
        try expectRefused(sample + ["--count", "0"], status: 64, saying: "--count")
        try expectRefused(sample + ["--count", "99999999999"], status: 64, saying: "--count")
        try expectRefused(sample + ["--count", "99999999999999999999999"], status: 64)
        try expectRefused(sample + ["--steps", "0"], status: 64, saying: "1 to 1000")
        try expectRefused(sample + ["--steps", "1001"], status: 64, saying: "1 to 1000")
        try expectRefused(sample + ["--seed", "-1"], status: 64, saying: "at least 0")
        try expectRefused(sample + ["--batch-size", "0"], status: 64, saying: "--batch-size")
        try expectRefused(sample + ["--class", "1"], status: 64, saying: "unconditional")
        try expectRefused(sample + ["--seed", "1", "--noise", "x"], status: 64, saying: "--noise")
        let evaluate = ["evaluate", "--dense", model, "--pruned", model, "--output", out]
        try expectRefused(evaluate + ["--count", "-1"], status: 64, saying: "-1", "1...100000")
        try expectRefused(evaluate + ["--steps", "-1"], status: 64, saying: "-1")
        try expectRefused(evaluate + ["--batch-size", "-1"], status: 64, saying: "-1")
        try expectRefused(evaluate + ["--class", "-1"], status: 64, saying: "-1")
        try expectRefused(evaluate + ["--class", "1"], status: 64, saying: "unconditional")
        let prune = ["prune", "--model", model, "--output", out]
        try expectRefused(prune + ["--resume"], status: 64, saying: "there is no run in")
        try expectRefused(
            ["finetune", "--model", model, "--output", out, "--resume"], status: 64, saying: "there is no run in")
        try expectRefused(prune + ["--method", "gradient-flw"], status: 64, saying: "'gradient-flow'")
        let magnitude = prune + ["--method", "magnitude", "--finetune-steps", "0"]
        try expectRefused(magnitude + ["--target", "mcs=0.5"], status: 64, saying: "macs")
        try expectRefused(magnitude + ["--target", "macs=1.5"], status: 64, saying: "between 0 and 1")
        try expectRefused(magnitude + ["--target", "macs=nan"], status: 64, saying: "between 0 and 1")
        try expectRefused(magnitude + ["--target", "macs=1e-9"], status: 64, saying: "cannot be reached")
        try expectRefused(prune + ["--method", "taylor"], status: 64, saying: "path")
        let score = ["score", "--model", model, "--output", out]
        try expectRefused(score + ["--criterion", "tailor"], status: 64, saying: "'taylor'")
        try expectRefused(score + ["--criterion", "fisher"], status: 64, saying: "--batch")
        try expectRefused(score + ["--criterion", "random", "--probes", "3"], status: 64, saying: "obd")
        try expectRefused(score + ["--criterion", "random", "--batch-size", "3"], status: 64, saying: "--data")
        try expectRefused(
            ["export", "--model", model, "--format", "onx", "--output", out], status: 64, saying: "'onnx'", "diffusers")
    }

    @Test func configurations() throws {
        let tiny = try TinyRun()
        func train(_ overrides: String...) -> [String] {
            ["train", "--config", tiny.configuration, "--output", out, "--set"] + overrides
        }
        try expectRefused(train("training.stpes=3"), status: 64, saying: "'training.steps'")
        try expectRefused(train("trianing.steps=3"), status: 64, saying: "'training'")
        try expectRefused(train("training.steps=lots"), status: 64, saying: "'lots'", "whole number")
        try expectRefused(train("training.steps=-1"), status: 64, saying: "-1")
        try expectRefused(train("training.learning_rate=.nan"), status: 64, saying: "finite")
        try expectRefused(train("training.optimizer.kind=adm"), status: 64, saying: "adm")
        try expectRefused(train("training"), status: 64, saying: "KEY=VALUE")
        try expectRefused(train(".=1"), status: 64, saying: "KEY=VALUE")
        try expectRefused(train("training..steps=1"), status: 64, saying: "KEY=VALUE")
        try expectRefused(train("training.steps.=1"), status: 64, saying: "KEY=VALUE")
        let deep = try expectRefused(
            train(String(repeating: "a.", count: 50_000) + "a=1"), status: 64, saying: "KEY=VALUE")
        let long = try expectRefused(
            train(String(repeating: "a", count: 100_000) + "=1"), status: 64, saying: "unknown")
        let many = try expectRefused(
            train("data.background=[\(String(repeating: "1,", count: 10_000))]"), status: 64, saying: "10000 numbers")
        for line in [deep, long, many] { #expect(line.utf8.count < 1000) }
        // One key in two spellings.
        try expectRefused(train("data.background=[{a_b: 1, aB: 2}]"), status: 64, saying: "data.background")
        try expectRefused(train("data.path="), status: 64, saying: "path")
        try expectRefused(train("data.path=/nowhere/at/all"), status: 65, saying: "/nowhere/at/all")
        try expectRefused(train("data.background=[0, 0, 300]"), status: 64, saying: "0...255")
        try expectRefused(train("model.num_class_embeds=4"), status: 64, saying: "labels")
        try expectRefused(train("model.out_channels=3"), status: 64, saying: "out_channels")
        try expectRefused(train("model.block_out_channels=[16384, 16384]"), status: 64, saying: "memory")
        try expectRefused(train("model.sample_size=7"), status: 64, saying: "sample_size")
        let prune = ["prune", "--model", model, "--output", out, "--method", "random", "--set"]
        let far = try expectRefused(prune + ["method.foo=1"], status: 64, saying: "'method.foo'", "expected one of")
        #expect(!far.contains("data.fit"))
        try expectRefused(prune + ["method.criterion.x=1"], status: 64, saying: "expected none there")
        try expectRefused(["train", "--output", out], status: 64, saying: "--config")
        try expectRefused(["train", "--output", out, "--resume"], status: 64, saying: "there is no run in")
        try expectRefused(
            ["train", "--config", scratch.path("none.yaml"), "--output", out], status: 64, saying: "none.yaml")
        let broken = try scratch.write("training: {steps: [", to: "broken.yaml")
        try expectRefused(["train", "--config", broken, "--output", out], status: 64, saying: "YAML")
        let aliases = try scratch.write("a: &a [1]\ndata: {path: *a}\n", to: "alias.yaml")
        try expectRefused(["train", "--config", aliases, "--output", out], status: 64)
    }

    @Test func benchmarks() throws {
        let bench = ["bench", "--model", model]
        try expectRefused(["bench"], status: 64, saying: "--model", "--architecture")
        try expectRefused(bench + ["--architecture", "x"], status: 64, saying: "not both")
        try expectRefused(bench + ["--work", "forwards"], status: 64, saying: "'forward'")
        try expectRefused(bench + ["--batch", "0"], status: 64, saying: "--batch is 0", "1...4096")
        try expectRefused(bench + ["--runs", "0"], status: 64, saying: "--runs is 0")
        try expectRefused(bench + ["--steps", "0"], status: 64, saying: "--steps is 0")
        try expectRefused(bench + ["--steps", "2000", "--quiet"], status: 64, saying: "1 to 1000")
        try expectRefused(bench + ["--steps", "3", "--work", "hvp"], status: 64, saying: "no effect")
        let checkpointing = bench + ["--gradient-checkpointing"]
        try expectRefused(checkpointing + ["--work", "forward"], status: 64, saying: "no effect")
        try expectRefused(checkpointing + ["--layers"], status: 64, saying: "--layers", "twice")
        try expectRefused(bench + ["--output", out], status: 64, saying: "--output has no effect")
        try expectRefused(
            bench + ["--sweep", "batch", "--output", try scratch.write("mine", to: "taken")], status: 65,
            saying: "taken")
        try expectRefused(bench + ["--pruned", scratch.path("none")], status: 65, saying: "none")
        try expectRefused(["bench", "--architecture", scratch.path("none")], status: 65, saying: "none")
        let file = try scratch.write(#"{"block_out_channels": [4, 6], "norm_num_groups": 4}"#, to: "config.json")
        try expectRefused(["bench", "--architecture", file], status: 65, saying: "config.json", "block_types")
        let large = try scratch.write(
            try String(contentsOfFile: Tool.fixture("unet/plain/unet/config.json"), encoding: .utf8)
                .replacingOccurrences(of: "\"sample_size\": 8", with: "\"sample_size\": 8192"), to: "large.json")
        try expectRefused(
            ["bench", "--architecture", large, "--batch", "4096", "--work", "forward", "--quiet"], status: 64,
            saying: "8192×8192", "smaller")
    }

    @Test func outputs() throws {
        let file = try scratch.write("mine", to: "file")
        let sample = ["sample", "--model", model, "--steps", "2", "--count", "1", "--output"]
        try expectRefused(sample + [file], status: 65, saying: file)
        try expectRefused(sample + [file + "/below"], status: 65, saying: file)
        try expectRefused(sample + [scratch.url.path], status: 64, saying: "already holds")
        try expectRefused(sample + ["/proc/none/here"], status: 65, saying: "/proc")
        let predict = ["predict", "--model", model, "--input", Tool.fixture("unet/plain/io.safetensors"), "--output"]
        try expectRefused(predict + [scratch.path("no/such/folder.safetensors")], status: 65, saying: "no/such")
        try expectRefused(predict + [scratch.url.path], status: 65, saying: scratch.url.path)
    }

    @Test func modelFolders() throws {
        func info(_ url: URL) -> [String] { ["info", "--model", url.path] }
        try expectRefused(info(scratch.url), status: 65, saying: "not a model folder")
        try expectRefused(info(scratch.url.appendingPathComponent("none")), status: 65, saying: "none")

        let cut = try copy("cut")
        let bytes = try Data(contentsOf: weights(cut))
        try bytes.prefix(bytes.count - 7).write(to: weights(cut))
        try expectRefused(info(cut), status: 65, saying: "diffusion_pytorch_model")

        // The last tensor in the file ends the file.
        let nan = try copy("nan")
        var damaged = bytes
        damaged.replaceSubrange(damaged.count - 4..<damaged.count, with: [0, 0, 0xc0, 0x7f])
        try damaged.write(to: weights(nan))
        try expectRefused(info(nan), status: 65, saying: "not finite")

        let widths = try copy("widths")
        try edit(widths.appendingPathComponent("unet/config.json")) { $0["block_out_channels"] = [4, 8] }
        try expectRefused(info(widths), status: 65, saying: "shape", "expected")

        let absurd = try copy("absurd")
        try edit(absurd.appendingPathComponent("unet/config.json")) { $0["block_out_channels"] = [16384, 16384] }
        try expectRefused(info(absurd), status: 65, saying: "memory")
        try edit(absurd.appendingPathComponent("unet/config.json")) {
            $0["block_out_channels"] = [4, 1_000_000_000_000]
        }
        try expectRefused(info(absurd), status: 65, saying: "block_out_channels")

        let sharded = try copy("sharded", of: "unet/sharded")
        let index = sharded.appendingPathComponent("unet/diffusion_pytorch_model.safetensors.index.json")
        try edit(index) { json in
            var map = json["weight_map"] as? [String: Any] ?? [:]
            map["conv_in.weight"] = "../../outside.safetensors"
            json["weight_map"] = map
        }
        try expectRefused(info(sharded), status: 65, saying: "not the name of a file beside the index")

        let scheduler = try copy("scheduler")
        try edit(scheduler.appendingPathComponent("scheduler/scheduler_config.json")) { $0["num_train_timesteps"] = -5 }
        try expectRefused(info(scheduler), status: 65, saying: "num_train_timesteps")

        let pruned = try copy("pruned")
        try Data(#"{"schema": 1, "groups": "#.utf8).write(to: pruned.appendingPathComponent("pruning.json"))
        try expectRefused(info(pruned), status: 65, saying: "pruning.json")
    }

    @Test func tensorFiles() throws {
        func predict(_ tensors: [NamedTensor], as name: String) throws -> [String] {
            let url = scratch.url.appendingPathComponent(name)
            try SafetensorsWriter.write(tensors, to: url)
            return ["predict", "--model", model, "--input", url.path, "--output", out]
        }
        let sample = NamedTensor("sample", shape: [1, 1, 8, 8], floats: Array(repeating: 0, count: 64))
        let timestep = NamedTensor("timestep", shape: [1], integers: [3])
        try expectRefused(try predict([sample], as: "a"), status: 65, saying: "timestep")
        let text = try scratch.write("what was meant to be an input", to: "text")
        try expectRefused(
            ["predict", "--model", model, "--input", text, "--output", out], status: 65, saying: "may be a text")
        try expectRefused(
            try predict([NamedTensor("sampel", shape: [1], floats: [0]), timestep], as: "b"), status: 65,
            saying: "'sampel'")
        try expectRefused(
            try predict([NamedTensor("sample", shape: [1, 8, 8, 1], floats: sample.floats), timestep], as: "c"),
            status: 65, saying: "[1, 8, 8, 1]", "1 channels")
        let narrow = NamedTensor("sample", shape: [1, 1, 8, 7], floats: Array(repeating: 0, count: 56))
        try expectRefused(try predict([narrow, timestep], as: "d"), status: 65, saying: "8×7")
        try expectRefused(
            try predict([sample, NamedTensor("timestep", shape: [2], integers: [1, 2])], as: "e"), status: 65,
            saying: "[2]")
        try expectRefused(
            try predict([sample, NamedTensor("timestep", shape: [1], integers: [Int64.max])], as: "f"), status: 65,
            saying: "timestep")
        try expectRefused(
            try predict(
                [NamedTensor("sample", shape: [1, 1, 8, 8], floats: Array(repeating: .nan, count: 64)), timestep],
                as: "g"),
            status: 65, saying: "not finite")
        try expectRefused(
            try predict([sample, timestep, NamedTensor("class_labels", shape: [1], integers: [0])], as: "h"),
            status: 65,
            saying: "unconditional")
        try expectRefused(
            try predict([NamedTensor("sample", shape: [0, 1, 8, 8], floats: []), timestep], as: "i"), status: 65,
            saying: "[0, 1, 8, 8]")
        let junk = try scratch.write("not a tensor file at all", to: "junk")
        try expectRefused(["predict", "--model", model, "--input", junk, "--output", out], status: 65, saying: "junk")

        let batch = ["score", "--model", model, "--criterion", "taylor", "--output", out, "--batch"]
        let noise = NamedTensor("noise", shape: [1, 1, 8, 8], floats: sample.floats)
        let late = scratch.url.appendingPathComponent("late")
        try SafetensorsWriter.write([sample, noise, NamedTensor("timestep", shape: [1], integers: [1000])], to: late)
        try expectRefused(batch + [late.path], status: 65, saying: "0..<1000")
        let uneven = scratch.url.appendingPathComponent("uneven")
        try SafetensorsWriter.write(
            [sample, timestep, NamedTensor("noise", shape: [2, 1, 8, 8], floats: sample.floats + sample.floats)],
            to: uneven)
        try expectRefused(batch + [uneven.path], status: 65, saying: "[2, 1, 8, 8]")

        let draw = ["sample", "--model", model, "--output", out, "--sampler", "ddpm", "--steps", "2", "--noise"]
        let bare = scratch.url.appendingPathComponent("bare")
        try SafetensorsWriter.write([NamedTensor("initial", shape: [1, 1, 8, 8], floats: sample.floats)], to: bare)
        try expectRefused(draw + [bare.path], status: 65, saying: "step_noise")
        try expectRefused(draw + [bare.path, "--sampler", "ddim", "--count", "2"], status: 64, saying: "--count")
    }

    /// Numbers that a model's embeddings are not defined at.
    @Test func timestepsAndClasses() throws {
        func tensors(_ model: String, _ timestep: Float, label: Float? = nil) throws -> URL {
            let shape = try SafetensorsFile(
                contentsOf: URL(fileURLWithPath: Tool.fixture("unet/\(model)/io.safetensors"))
            ).shape(of: "sample").suffix(3)
            let values = [Float](repeating: 0.5, count: shape.reduce(1, *))
            let url = scratch.url.appendingPathComponent("input")
            try SafetensorsWriter.write(
                [
                    NamedTensor("sample", shape: [1] + shape, floats: values),
                    NamedTensor("noise", shape: [1] + shape, floats: values),
                    NamedTensor("timestep", shape: [1], floats: [timestep]),
                ] + (label.map { [NamedTensor("class_labels", shape: [1], floats: [$0])] } ?? []), to: url)
            return url
        }
        func predict(_ model: String, _ input: URL) -> [String] {
            ["predict", "--model", Tool.fixture("unet/\(model)"), "--input", input.path, "--output", out]
        }
        func score(_ model: String, _ input: URL) -> [String] {
            [
                "score", "--model", Tool.fixture("unet/\(model)"), "--criterion", "taylor", "--batch", input.path,
                "--output", out,
            ]
        }
        let fourier = "time-fourier"
        try expectRefused(predict(fourier, try tensors(fourier, 0)), status: 65, saying: "timestep is 0,", "above 0")
        try expectRefused(
            predict(fourier, try tensors(fourier, -1.5)), status: 65, saying: "timestep is -1.5", "above 0")
        try expectRefused(score(fourier, try tensors(fourier, 0)), status: 65, saying: "timestep is 0,", "above 0")
        try expectRefused(
            predict("time-learned", try tensors("time-learned", 2.5)), status: 65, saying: "2.5", "whole number")
        let classes = "class-embedding"
        for label in [0.5, 1.5, -1, 10] as [Float] {
            let input = try tensors(classes, 3, label: label)
            let words = [
                "class label is \(label == -1 ? "-1" : label == 10 ? "10" : "\(label)")", "whole number in 0..<10",
            ]
            try expectRefused(predict(classes, input), status: 65, saying: words[0], words[1])
            try expectRefused(score(classes, input), status: 65, saying: words[0], words[1])
        }
        try expectRefused(
            ["sample", "--model", Tool.fixture("unet/skip-pyramid"), "--output", out, "--steps", "2", "--quiet"],
            status: 65, saying: "timestep", "above 0")
    }

    /// Broken weights that only show when the model is used.
    @Test func weightsThatOverflow() throws {
        let huge = try copy("huge")
        let file = try SafetensorsFile(contentsOf: weights(huge))
        let tensors = try file.names.map { name in
            NamedTensor(
                name, shape: try file.shape(of: name),
                floats: try file.floats(name).map { name == "conv_out.weight" ? 3e38 : $0 })
        }
        try SafetensorsWriter.write(tensors, to: weights(huge))
        let io = Tool.fixture("unet/plain/io.safetensors")
        try expectRefused(
            ["predict", "--model", huge.path, "--input", io, "--output", out, "--quiet"], status: 65,
            saying: "not finite")
        try expectRefused(
            [
                "sample", "--model", huge.path, "--output", out, "--steps", "2", "--count", "2", "--quiet", "--sampler",
                "ddpm",
            ],
            status: 65, saying: "finite")
    }
}

extension NamedTensor {
    fileprivate var floats: [Float] {
        if case .floats(let values) = elements { return values }
        return []
    }
}
