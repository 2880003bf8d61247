import Foundation
import Testing

/// What the tool says and what it does unless told otherwise.
@Suite struct WordsTests {
    let scratch: Scratch
    private let model = Tool.fixture("unet/plain")

    init() throws { scratch = try Scratch() }

    private func expectRefused(_ arguments: [String], status: Int32 = 64, saying words: String...) throws {
        let result = try Tool.run(arguments)
        #expect(result.status == status && result.complaints.count == 1, "\(arguments): \(result.errors)")
        for word in words { #expect(result.errors.contains(word), "\(arguments): \(result.errors)") }
    }

    private func json(_ text: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any], "\(text)")
    }

    /// A value of JSON as one text.
    private func text(_ value: Any?) throws -> String {
        let value = try #require(value)
        return String(
            decoding: try JSONSerialization.data(withJSONObject: value, options: [.sortedKeys, .fragmentsAllowed]),
            as: UTF8.self)
    }

    private func prune(to name: String, _ more: String...) throws -> Tool.Result {
        try Tool.run(["prune", "--model", model, "--output", scratch.path(name), "--quiet", "--threads", "1"] + more)
    }

    /// The plain model under another scheduler.
    private func model(_ name: String, scheduler: String) throws -> String {
        let url = scratch.url.appendingPathComponent(name)
        try FileManager.default.copyItem(at: URL(fileURLWithPath: model), to: url)
        try Data(#"{"_class_name": "\#(scheduler)", "num_train_timesteps": 1000}"#.utf8).write(
            to: url.appendingPathComponent("scheduler/scheduler_config.json"))
        // The index names the class that is read.
        let index = url.appendingPathComponent("model_index.json")
        let text = try String(contentsOf: index, encoding: .utf8)
        try Data(text.replacingOccurrences(of: "DDPMScheduler", with: scheduler).utf8).write(to: index)
        return url.path
    }

    // MARK: what is printed

    @Test func theVersionIsPrinted() throws {
        let result = try Tool.run("--version")
        #expect(result.status == 0 && result.errors.isEmpty)
        #expect(result.output.split(separator: ".").count == 3, "\(result.output)")
    }

    @Test func helpForAMistypedCommandIsRefused() throws {
        try expectRefused(["help", "prun"], saying: "unknown command 'prun', did you mean 'prune'?")
        #expect(try Tool.run("help").status == 0)
        #expect(try Tool.run("help", "prune").output.contains("--target"))
    }

    @Test func numbersAndOptionsAreThoseTyped() throws {
        let sample = ["sample", "--model", model, "--output", scratch.path("out")]
        try expectRefused(sample + ["--class", "77"], saying: "--class is 77, expected none")
        try expectRefused(sample + ["--count", "1.5"], saying: "--count is '1.5', expected a whole number")
        try expectRefused(sample + ["--eta", "lots"], saying: "--eta is 'lots', expected a number")
        let evaluate = ["evaluate", "--dense", model, "--pruned", model, "--output", scratch.path("out")]
        try expectRefused(evaluate + ["--steps", "-1"], saying: "--steps is -1, expected 1")
        let prune = ["prune", "--model", model, "--output", scratch.path("out"), "--data", "x"]
        try expectRefused(prune + ["--finetune-steps", "-3"], saying: "--finetune-steps is -3, expected 0")
        try expectRefused(
            ["finetune", "--model", model, "--output", scratch.path("out"), "--data", "x", "--steps", "0"],
            saying: "--steps is 0, expected at least 1")
        try expectRefused(
            ["prune", "--model", model, "--output", scratch.path("out"), "--target", "sparsity=0.95"],
            saying: "target sparsity=0.95 cannot be reached", "at most sparsity=0.")
    }

    @Test func aModelIsNamedWithOrWithoutItsOption() throws {
        let named = try Tool.run("info", "--model", model)
        let bare = try Tool.run("info", model)
        #expect(bare.status == 0 && bare.output == named.output)
        try expectRefused(["info"], saying: "--model is missing")
        try expectRefused(["info", "--model", model, "other"], saying: "other", "expected one of them")
    }

    @Test func modelsInTheWrongOrderAreWarnedOf() throws {
        #expect(try prune(to: "pruned").status == 0)
        let pruned = scratch.path("pruned/model")
        let bench = ["bench", "--work", "forward", "--batch", "1", "--runs", "1", "--threads", "1", "--quiet"]
        let swapped = try Tool.run(bench + ["--model", pruned, "--pruned", model])
        #expect(swapped.status == 0 && swapped.errors.contains("swapped?"), "\(swapped.errors)")
        let right = try Tool.run(bench + ["--model", model, "--pruned", pruned])
        #expect(right.status == 0 && right.errors.isEmpty, "\(right.errors)")
    }

    // MARK: defaults

    @Test func withoutImagesWeightsDecideAndNothingIsFineTuned() throws {
        let result = try prune(to: "bare")
        #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
        for line in ["method: magnitude", "asked: macs=0.5", "fine-tuning: none", "model: "] {
            #expect(result.output.contains(line), "\(result.output)")
        }
        try expectRefused(
            ["prune", "--model", model, "--output", scratch.path("out"), "--method", "taylor"], saying: "data.path",
            "'taylor' takes its scores", "magnitude")
        try expectRefused(
            [
                "prune", "--model", model, "--output", scratch.path("out"), "--method", "magnitude", "--finetune-steps",
                "5",
            ],
            saying: "images to fine-tune on for 5 steps", "--finetune-steps 0")
        #expect(!scratch.exists("out"))
    }

    @Test func withImagesTheUsualMethodPrunes() throws {
        let tiny = try TinyRun()
        #expect(try Tool.run(tiny.train(to: "dense", "--set", "training.steps=2")).status == 0)
        let result = try Tool.run(
            "prune", "--model", tiny.scratch.path("dense/model"), "--output", tiny.scratch.path("pruned"), "--data",
            tiny.images, "--finetune-steps", "4", "--json", "--quiet", "--threads", "1", "--set", "method.rounds=2",
            "pruning.calibration_batches=1", "finetuning.batch_size=4")
        #expect(result.status == 0, "\(result.errors)")
        #expect(try json(result.output)["method"] as? String == "gradient-flow")
    }

    @Test func aResultForProgramsSaysWhatTheRecordDoes() throws {
        let result = try Tool.run(
            [
                "prune", "--model", model, "--output", scratch.path("json"), "--quiet", "--json", "--seed", "5",
                "--target",
            ]
                + ["params=0.6,macs=0.7"], environment: ["SOURCE_DATE_EPOCH": "86400"])
        #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
        let printed = try json(result.output)
        #expect(printed["target"] as? String == "params=0.6,macs=0.7" && printed["seed"] as? Int == 5)
        #expect(printed["finetuning_steps"] as? Int == 0 && printed["granularity"] as? String == "channel")
        let path = try #require(printed["model"] as? String)
        let record = try json(try String(contentsOfFile: path + "/pruning.json", encoding: .utf8))
        for key in ["method", "seed", "target", "asked", "achieved", "made_by"] {
            #expect(try text(printed[key]) == text(record[key]), "\(key)")
        }
        let made = try #require(record["made_by"] as? [String: String])
        #expect(made["date"] == "1970-01-02T00:00:00Z" && made["version"] != nil)
        #expect(made["command"]?.hasPrefix("diffprune prune --model ") == true, "\(made)")
        let info = try Tool.run("info", path)
        #expect(info.output.contains("pruned by magnitude (seed 5), asked for params=0.6,macs=0.7"))
    }

    /// As diffusers' pipelines draw: DDPM takes every timestep of 1000, DDIM 50.
    @Test func aModelDrawsWithItsOwnScheduler() throws {
        func picture(_ model: String, _ name: String, _ more: String...) throws -> Data {
            let result = try Tool.run(
                ["sample", "--model", model, "--output", scratch.path(name), "--count", "1", "--quiet"] + more)
            #expect(result.status == 0, "\(result.errors)")
            return try scratch.data("\(name)/images/000000.png")
        }
        let ddpm = try model("ddpm", scheduler: "DDPMScheduler")
        let ddim = try model("ddim", scheduler: "DDIMScheduler")
        let own = try picture(ddpm, "a")
        #expect(try own == picture(ddpm, "b", "--sampler", "ddpm", "--steps", "1000"))
        #expect(try own == picture(ddim, "c", "--sampler", "ddpm"))
        let implicit = try picture(ddim, "d")
        #expect(try implicit == picture(ddim, "e", "--sampler", "ddim", "--steps", "50", "--eta", "0"))
        #expect(try implicit != own && implicit != picture(ddim, "f", "--eta", "1"))
        let arguments = ["sample", "--model", ddpm, "--output", scratch.path("g"), "--count", "1", "--steps", "2"]
        try expectRefused(arguments + ["--eta", "0.5"], saying: "eta is 0.5, expected none with the ddpm sampler")
        try expectRefused(arguments + ["--sampler", "ddim", "--eta", "2"], saying: "eta is 2, expected 0")
    }
}
