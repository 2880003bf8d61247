import Foundation
import Testing

/// What a run would take and do, and what cannot be done, before anything is written.
@Suite struct DryRunTests {
    private let tiny: TinyRun
    private var scratch: Scratch { tiny.scratch }
    private let model = Tool.fixture("unet/plain")

    init() throws { tiny = try TinyRun() }

    /// Runs the tool, which must write nothing.
    private func run(_ arguments: [String]) throws -> Tool.Result {
        let before = try scratch.contents()
        let result = try Tool.run(arguments)
        #expect(try scratch.contents() == before, "\(arguments) wrote something")
        return result
    }

    private func prune(_ more: String...) -> [String] {
        ["prune", "--model", model, "--output", scratch.path("out")] + more
    }

    @Test func aPruningRunIsForetold() throws {
        let arguments = prune(
            "--data", tiny.images, "--method", "gradient-flow", "--finetune-steps", "400", "--dry-run")
        let result = try run(arguments)
        #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
        let pattern = /time     6 mask updates of about [^,]+, 400 steps of about [^,]+: about .+/
        #expect(result.output.firstMatch(of: pattern) != nil, "\(result.output)")
        for words in ["macs=0.5, within reach", "memory   about ", "Nothing was written."] {
            #expect(result.output.contains(words), "\(result.output)")
        }
        let json = try run(arguments + ["--json"])
        let object = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        #expect((object["seconds"] as? Double).map { $0 > 0 } == true && object["target"] as? String == "macs=0.5")
        #expect((object["memory_bytes"] as? Double).map { $0 > 1e5 && $0 < 1e9 } == true)
        #expect(((object["lowest"] as? [String: Double])?["macs"]).map { $0 > 0 && $0 < 0.5 } == true)
        #expect(object["removal"] is NSNull)
        let work = try #require(object["work"] as? [[String: Any]])
        #expect(work.map { $0["noun"] as? String } == ["mask update", "step"])
        #expect(work.map { $0["count"] as? Int } == [6, 400])
    }

    /// Magnitudes do not change between the forecast and the run.
    @Test(arguments: [["magnitude"], ["random"], ["magnitude", "--set", "pruning.granularity=n:m"]])
    func whatLeavesIsForetoldWhereItFollowsFromWeights(method: [String]) throws {
        let arguments = prune("--finetune-steps", "0", "--seed", "3", "--method") + method
        let result = try run(arguments + ["--dry-run", "--json"])
        #expect(result.status == 0, "\(result.errors)")
        let foretold = try #require(
            try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
        let removal = try #require(foretold["removal"] as? [String: Any])
        #expect(try run(arguments + ["--dry-run"]).output.contains("MACs"))
        #expect(try Tool.run(arguments).status == 0)
        let record = try #require(
            try JSONSerialization.jsonObject(with: scratch.data("out/model/pruning.json")) as? [String: Any])
        for key in ["achieved", "groups"] {
            #expect(removal[key] as? NSObject == record[key] as? NSObject, "\(key)")
        }
    }

    @Test func trainingAndFineTuningAreForetold() throws {
        for arguments in [
            tiny.train(to: "out", "--dry-run"),
            ["finetune", "--model", model, "--data", tiny.images, "--output", scratch.path("out"), "--dry-run"]
                + ["--teacher", model, "--steps", "300"],
        ] {
            let result = try run(arguments)
            #expect(result.status == 0, "\(result.errors)")
            #expect(result.output.contains("300 steps of about "), "\(result.output)")
            let json = try run(arguments + ["--json"])
            #expect(json.status == 0 && json.output.contains("\"memory_bytes\""))
        }
    }

    @Test func aForecastRefusesWhatTheRunWould() throws {
        func expectRefused(_ arguments: [String], status: Int32 = 64, saying words: String) throws {
            let result = try run(arguments)
            #expect(result.status == status && result.output.isEmpty, "\(arguments): \(result.errors)")
            #expect(
                result.errors.contains(words) && result.errors.split(separator: "\n").count == 1, "\(result.errors)")
        }
        let bare = prune("--method", "magnitude", "--finetune-steps", "0", "--dry-run")
        try expectRefused(bare + ["--resume"], saying: "--resume")
        try expectRefused(tiny.train(to: "out", "--json"), saying: "--dry-run")
        try expectRefused(prune("--method", "taylor", "--dry-run"), saying: "images")
        try expectRefused(tiny.train(to: "out", "--dry-run", "--set", "training.steps=-1"), saying: "steps")
        try scratch.write("x", to: "occupied")
        try expectRefused(
            ["prune", "--model", model, "--output", scratch.path("occupied/run"), "--method", "magnitude", "--dry-run"]
                + ["--finetune-steps", "0"], status: 65, saying: "expected a folder")
    }

    /// With rounds of training before the update that would find out.
    @Test(arguments: [
        ["macs=0.0001"], ["params=0.0001"], ["sparsity=0.999"], ["params=0.5,macs=0.0001"],
        ["macs=0.01", "--set", "pruning.granularity=layer"],
        ["sparsity=0.99999", "--set", "pruning.granularity=weight"],
        ["macs=0.02", "--set", "pruning.granularity=regular", "pruning.multiple=4"],
    ])
    func aTargetOutOfReachIsRefusedAtOnce(target: [String]) throws {
        let arguments =
            prune("--data", tiny.images, "--method", "magnitude", "--finetune-steps", "50", "--target") + target
            + (target.contains("--set") ? [] : ["--set"]) + ["method.rounds=6"]
        let real = try run(arguments)
        let dry = try run(arguments + ["--dry-run"])
        #expect(real.status == 64 && real.errors.contains("cannot be reached"), "\(real.errors)")
        #expect(real.errors.split(separator: "\n").count == 1)
        #expect(dry.status == 64 && dry.errors == real.errors && dry.output.isEmpty)
    }

    @Test func aRunSaysHowLongItTakesAndWhereItIs() throws {
        // Long enough to be shown, whatever the machine.
        let arguments = prune(
            "--data", tiny.images, "--method", "gradient-flow", "--finetune-steps", "40", "--set",
            "pruning.calibration_batches=30", "pruning.calibration_batch_size=16", "method.rounds=3",
            "finetuning.batch_size=64")
        let result = try Tool.run(arguments)
        #expect(result.status == 0, "\(result.errors)")
        let statement = /3 mask updates of about [^,]+, 40 steps of about [^,]+: about .+/
        #expect(
            result.errors.split(separator: "\n").count { $0.wholeMatch(of: statement) != nil } == 1, "\(result.errors)")
        let line = /(scoring( pass 2,)? batch \d+ of 30 \(mask .*|(soft pruning|fine-tuning) step \d+ of 40).*ETA .*/
        #expect(result.errors.split(separator: "\n").contains { $0.wholeMatch(of: line) != nil }, "\(result.errors)")
    }
}
