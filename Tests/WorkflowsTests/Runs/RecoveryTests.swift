import Files
import Foundation
import ModelFolders
import Runs
import TensorCore
import Testing

@testable import Workflows

/// What fine-tuning can be told to do for any method, in whole runs.
@Suite struct RecoveryTests {
    private func prune(
        _ runs: RunFixtures, _ name: String, method: String = "vanilla-iterative", target: String = "macs=0.7",
        _ overrides: [String]
    ) throws {
        let configuration = try PruningRunConfiguration(
            file: nil,
            overrides: [
                "finetuning.steps=8", "finetuning.batch_size=3", "finetuning.log_every=1", "finetuning.ema=0.9",
                "pruning.soft_fraction=0.5", "pruning.calibration_batches=2", "pruning.calibration_batch_size=2",
            ] + overrides, method: method, target: target, data: runs.images.path)
        _ = try PruningWorkflow(
            configuration, pipeline: try PipelineFolder(runs.path("dense/model")).load(),
            in: RunContext(output: runs.path(name))
        ).run()
    }

    private func logged(_ runs: RunFixtures, _ name: String, _ key: String) throws -> [Double] {
        try runs.text("\(name)/metrics.jsonl").split(separator: "\n").compactMap {
            try JSONValue(parsing: String($0))[key]?.doubleValue
        }
    }

    private func weights(_ runs: RunFixtures, _ name: String) throws -> Data {
        try runs.data("\(name)/model/unet/diffusion_pytorch_model.safetensors")
    }

    @Test func learningRatesBeginAnewOnceChannelsAreDecided() throws {
        let runs = try RunFixtures()
        try runs.train("dense", "steps=3")
        let cosine = ["method.rounds=3", "finetuning.learning_rate_schedule.shape=cosine"]
        try prune(runs, "plain", cosine)
        try prune(runs, "rewound", cosine + ["pruning.rewind_learning_rate=true"])
        let (plain, rewound) = (
            try logged(runs, "plain", "learning_rate"), try logged(runs, "rewound", "learning_rate")
        )
        #expect(plain.count == 8 && zip(plain, plain.dropFirst()).allSatisfy { $0 > $1 })
        // Four steps before the last update, and the same four after it.
        #expect(rewound.count == 8 && Array(rewound[..<4]) == Array(rewound[4...]) && rewound[4] == 2e-4)
        #expect(try weights(runs, "plain") != weights(runs, "rewound"))
        // A method of one update begins its schedule there anyway.
        try prune(runs, "one", method: "one-shot", ["finetuning.learning_rate_schedule.shape=cosine"])
        try prune(
            runs, "one-rewound", method: "one-shot",
            ["finetuning.learning_rate_schedule.shape=cosine", "pruning.rewind_learning_rate=true"])
        #expect(try weights(runs, "one") == weights(runs, "one-rewound"))
    }

    @Test(arguments: [
        ("lottery", ["finetuning.learning_rate_schedule.shape=cosine"], "false with 'lottery', which rewinds itself"),
        (
            "vanilla-iterative", ["finetuning.learning_rate_schedule.shape=cosine", "pruning.soft_fraction=1"],
            "false where nothing is fine-tuned after the last mask update"
        ),
        ("vanilla-iterative", [], "false with a constant learning rate"),
    ])
    func rewindingThatCannotBeIsRefused(method: String, overrides: [String], words: String) throws {
        let runs = try RunFixtures()
        try runs.train("dense", "steps=1")
        #expect {
            try prune(runs, "run", method: method, overrides + ["pruning.rewind_learning_rate=true"])
        } throws: {
            "\($0)".contains("'pruning.rewind_learning_rate' is true, expected \(words)")
        }
        #expect(!FileManager.default.fileExists(atPath: runs.path("run").path))
    }

    @Test func featuresAreImitatedAndLogged() throws {
        let runs = try RunFixtures()
        try runs.train("dense", "steps=3")
        let rounds = ["method.rounds=2"]
        try prune(runs, "plain", rounds)
        // What is said of features means nothing where none are imitated.
        try prune(runs, "weightless", rounds + ["recovery.feature_layers=all", "recovery.feature_outliers=2"])
        try prune(runs, "taught", rounds + ["recovery.feature_distillation=0.5"])
        try prune(
            runs, "taught-again",
            rounds + ["recovery.feature_distillation=0.5", "finetuning.gradient_checkpointing=true"])
        #expect(try weights(runs, "plain") == weights(runs, "weightless"))
        #expect(try weights(runs, "plain") != weights(runs, "taught"))
        #expect(try weights(runs, "taught") == weights(runs, "taught-again"))
        #expect(try runs.text("taught/metrics.jsonl") == runs.text("taught-again/metrics.jsonl"))
        #expect(try logged(runs, "plain", "feature_loss").isEmpty)
        let features = try logged(runs, "taught", "feature_loss")
        #expect(features.count == 8 && features.allSatisfy { $0 > 0 })
        // The loss that is logged is the noise's own.
        #expect(try logged(runs, "plain", "loss")[0] == logged(runs, "taught", "loss")[0])
        #expect(try runs.record("taught")["configuration"]?.stringValue?.contains("feature_distillation: 0.5") == true)

        // The folder's record says which channels are left, so that the dense model can go on teaching them.
        func finetune(_ name: String, teacher: String) throws {
            let configuration = try FinetuningRunConfiguration(
                file: nil,
                overrides: [
                    "finetuning.steps=3", "finetuning.batch_size=3", "finetuning.log_every=1",
                    "recovery.feature_distillation=0.5",
                ], data: runs.images.path, hasTeacher: true)
            try FinetuningWorkflow(
                configuration, pipeline: PipelineFolder(runs.path("plain/model")).load(),
                teacher: PipelineFolder(runs.path("\(teacher)/model")).load(), in: RunContext(output: runs.path(name))
            ).run()
        }
        try finetune("tuned", teacher: "dense")
        #expect(try logged(runs, "tuned", "feature_loss").count == 3)
        // A teacher that lost other channels cannot.
        try prune(runs, "smaller", method: "random", [])
        #expect { try finetune("refused", teacher: "smaller") } throws: {
            "\($0)".contains("'recovery.feature_distillation' is 0.5, expected 0 with this teacher")
        }
    }

    @Test func jacobiansAreMatchedAndLogged() throws {
        let runs = try RunFixtures()
        try runs.train("dense", "steps=3")
        let rounds = ["method.rounds=2", "recovery.distillation=0.5"]
        try prune(runs, "plain", rounds)
        try prune(runs, "matched", rounds + ["recovery.jacobian_matching=0.1"])
        try prune(
            runs, "matched-again",
            rounds + ["recovery.jacobian_matching=0.1", "finetuning.gradient_checkpointing=true"])
        #expect(try weights(runs, "plain") != weights(runs, "matched"))
        #expect(try weights(runs, "matched") == weights(runs, "matched-again"))
        #expect(try runs.text("matched/metrics.jsonl") == runs.text("matched-again/metrics.jsonl"))
        #expect(try logged(runs, "plain", "jacobian_loss").isEmpty)
        let terms = try logged(runs, "matched", "jacobian_loss")
        #expect(terms.count == 8 && terms.allSatisfy { $0 >= 0 } && terms.contains { $0 > 0 })
        // The loss that is logged is the noise's and the imitation's own.
        #expect(try logged(runs, "plain", "loss")[0] == logged(runs, "matched", "loss")[0])
    }

    /// With gates that are learned, penalties, thresholds, and changes of the gradients.
    @Test(arguments: [
        "l0", "soft-movement", "scaling-factors", "variational-dropout", "hyperflows", "soft-threshold", "rigl",
    ])
    func jacobiansAreMatchedWithAnyMethod(method: String) throws {
        let runs = try RunFixtures()
        try runs.train("dense", "steps=3")
        let isOfWeights = ["variational-dropout", "soft-threshold", "rigl"].contains(method)
        try prune(
            runs, "run", method: method, target: isOfWeights ? "sparsity=0.5" : "macs=0.7",
            [
                "recovery.distillation=0.5", "recovery.jacobian_matching=0.1",
                "pruning.granularity=\(isOfWeights ? "weight" : "channel")",
            ])
        let terms = try logged(runs, "run", "jacobian_loss")
        #expect(terms.count == 8 && terms.allSatisfy { $0.isFinite } && terms.contains { $0 > 0 })
    }

    /// Masks that move by the gradients of such a loss: what single steps say of them is part of the same pass.
    @Test(arguments: [("macs=0.5", "channel"), ("sparsity=0.6", "weight")])
    func jacobiansAreMatchedUnderMovingMasks(target: String, granularity: String) throws {
        let runs = try RunFixtures()
        try runs.train("dense", "steps=3")
        let moving = [
            "recovery.distillation=0.5", "method.flow=continuous", "method.rounds=3",
            "pruning.granularity=\(granularity)",
        ]
        try prune(runs, "plain", method: "gradient-flow", target: target, moving)
        try prune(
            runs, "matched", method: "gradient-flow", target: target, moving + ["recovery.jacobian_matching=0.1"])
        try prune(
            runs, "again", method: "gradient-flow", target: target,
            moving + ["recovery.jacobian_matching=0.1", "finetuning.gradient_checkpointing=true"])
        let terms = try logged(runs, "matched", "jacobian_loss")
        #expect(terms.count == 8 && terms.allSatisfy { $0.isFinite } && terms.contains { $0 > 0 })
        #expect(try weights(runs, "plain") != weights(runs, "matched"))
        #expect(try weights(runs, "matched") == weights(runs, "again"))
    }

    /// A plain model names no channels, so nothing could say whom the rest imitates.
    @Test func featuresAndLevelsDoNotGoTogether() throws {
        let runs = try RunFixtures()
        try runs.train("dense", "steps=1")
        #expect {
            try prune(
                runs, "run", method: "magnitude", ["pruning.granularity=level", "recovery.feature_distillation=0.5"])
        } throws: { "\($0)".contains("'recovery.feature_distillation' is 0.5, expected 0 with granularity 'level'") }
    }

    /// Before any step, what is left says more of what all said.
    @Test(arguments: [
        ("ridge", "macs=0.7", "channel"), ("least-squares", "macs=0.7", "channel"),
        ("least-squares", "sparsity=0.6", "weight"),
    ])
    func aRepairFollowsAnyChoice(repair: String, target: String, granularity: String) throws {
        let runs = try RunFixtures()
        try runs.train("dense", "steps=3")
        func output(_ name: String, _ repair: String) throws -> [Float] {
            let configuration = try PruningRunConfiguration(
                file: nil,
                overrides: [
                    "finetuning.steps=0", "finetuning.batch_size=2", "pruning.granularity=\(granularity)",
                    "recovery.reconstruction=\(repair)", "pruning.calibration_batches=4",
                    "pruning.calibration_batch_size=4",
                ], method: "magnitude", target: target, data: runs.images.path)
            _ = try PruningWorkflow(
                configuration, pipeline: try PipelineFolder(runs.path("dense/model")).load(),
                in: RunContext(output: runs.path(name))
            ).run()
            return try prediction(runs, "\(name)/model")
        }
        let dense = try prediction(runs, "dense/model")
        func error(_ values: [Float]) -> Float { zip(values, dense).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } }
        let (plain, repaired) = (error(try output("plain", "none")), error(try output("repaired", repair)))
        #expect(repaired < 0.8 * plain, "\(plain) → \(repaired)")
    }

    /// Every optimiser moves every weight it is given, whatever its gradient: Muon's steps fill whole matrices.
    @Test(arguments: ["adam", "muon"]) func weightsThatLeftStayAwayWhileOthersAreTuned(optimizer: String) throws {
        let runs = try RunFixtures()
        try runs.train("dense", "steps=3")
        try prune(
            runs, "pruned", method: "magnitude", target: "sparsity=0.6",
            ["pruning.granularity=weight", "finetuning.optimizer.kind=\(optimizer)"])
        let configuration = try FinetuningRunConfiguration(
            file: nil,
            overrides: ["finetuning.steps=3", "finetuning.batch_size=3", "finetuning.optimizer.kind=\(optimizer)"],
            data: runs.images.path, hasTeacher: false)
        try FinetuningWorkflow(
            configuration, pipeline: PipelineFolder(runs.path("pruned/model")).load(), teacher: nil,
            in: RunContext(output: runs.path("tuned"))
        ).run()
        func values(_ name: String) throws -> [[Float]] {
            try PipelineFolder(runs.path("\(name)/model")).load().model.parameters.filter(\.isMaskable)
                .map(\.variable.value.array)
        }
        let (before, after) = (try values("pruned").joined(), try values("tuned").joined())
        #expect(before.count { $0 == 0 } > before.count / 2)
        #expect(zip(before, after).allSatisfy { ($0 == 0) == ($1 == 0) })
        #expect(zip(before, after).contains { $0 != $1 })
    }

    /// What a model makes of noise.
    private func prediction(_ runs: RunFixtures, _ folder: String) throws -> [Float] {
        let model = try PipelineFolder(runs.path(folder)).load().model
        let noise = Tensor(uninitialized: [4] + model.imageShape)
        var stream = RandomStream(seed: 3, purpose: "test-images")
        stream.fillNormal(noise.unsafeBuffer)
        return Autograd.withoutRecording {
            model(Variable(noise), timesteps: [10, 300, 600, 900]).value.array
        }
    }

    @Test func ridgeIsRefusedForSingleWeights() throws {
        #expect {
            _ = try PruningRunConfiguration(
                file: nil, overrides: ["pruning.granularity=weight", "recovery.reconstruction=ridge"],
                method: "magnitude", target: "sparsity=0.5", data: "images")
        } throws: {
            "\($0)".contains("none or least-squares with granularity 'weight'")
        }
    }
}
