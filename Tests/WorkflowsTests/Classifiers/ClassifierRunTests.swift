import Classification
import Datasets
import Files
import Foundation
import ModelFolders
import Models
import Runs
import TensorCore
import TestSupport
import Testing
import WeightFiles

@testable import Workflows

/// Training, pruning and fine-tuning of classifiers, and what is made of the result.
@Suite struct ClassifierRunTests {
    let fixtures: ClassifierFixtures
    private var runs: RunFixtures { fixtures.runs }

    init() throws { fixtures = try ClassifierFixtures() }

    private static let files = ["model/model.safetensors", "metrics.jsonl", "config.yaml", "run.json"]

    private func expectSame(_ a: String, _ b: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        for file in Self.files {
            #expect(
                try runs.data("\(a)/\(file)") == runs.data("\(b)/\(file)"), "\(file)", sourceLocation: sourceLocation)
        }
    }

    @Test func aTrainingLearnsIsMeasuredAndIsResumedToTheSameBits() throws {
        try fixtures.train(in: RunContext(output: runs.path("whole")))
        let stops = try runs.advance("run", stoppingAt: 4) { try fixtures.train(in: $0) }
        #expect(stops.count >= 2)
        try expectSame("run", "whole")
        let log = try JSONLinesLog(runs.path("whole/metrics.jsonl")).entries()
        #expect(log.compactMap { $0["test_accuracy"] == nil ? nil : $0["step"]?.intValue } == [5, 10])
        #expect(log.contains { $0["accuracy"] != nil && $0["loss"] != nil })

        try fixtures.train(in: RunContext(output: runs.path("long")), "steps=60", "evaluate_every=0", "ema=0.5")
        let accuracy = try MeasuredAccuracy.last(beside: runs.path("long/model"))
        #expect(try #require(accuracy) > 0.8)
        // Running moments have been estimated, and are saved.
        let model = try fixtures.model("long").model
        let moments = model.parameters.filter { $0.name.hasSuffix(".running_var") }
        #expect(!moments.isEmpty && moments.allSatisfy { $0.variable.value.array.contains { $0 != 1 } })
    }

    /// A file by itself has no part that is not learned from.
    @Test func whatIsLearnedFromIsNotMeasured() throws {
        let configuration = try ClassifierTrainingRunConfiguration(
            file: fixtures.configuration,
            overrides: ["data.path=\(fixtures.data)/train-images-idx3-ubyte", "training.steps=2"])
        try TrainingWorkflow(configuration, in: RunContext(output: runs.path("run"))).run()
        #expect(try MeasuredAccuracy.last(beside: runs.path("run/model")) == nil)
    }

    @Test(arguments: [
        ("gradient-flow", "macs=0.5"), ("magnitude", "sparsity=0.7"), ("l0", "macs=0.6"), ("depth", "macs=0.8"),
        ("scaling-factors", "macs=0.6"), ("gradual", "sparsity=0.6"),
    ])
    func aPruningIsResumedToTheSameBits(method: String, target: String) throws {
        try fixtures.train(in: RunContext(output: runs.path("dense")), "steps=6")
        let outcome = try fixtures.prune(method, target, in: RunContext(output: runs.path("whole")))
        #expect(outcome.record.achieved.macs.ratio < 1 || outcome.record.achieved.weights != nil)
        let stops = try runs.advance("run", stoppingAt: 5) { _ = try fixtures.prune(method, target, in: $0) }
        #expect(stops.count >= 1)
        try expectSame("run", "whole")
        let pruned = try fixtures.model("whole")
        #expect(pruned.pruning?.method == method)
    }

    /// Without fine-tuning the running moments are those of what is left, which are not those of the dense model.
    @Test func runningMomentsAreEstimatedAfterPruning() throws {
        try fixtures.train(in: RunContext(output: runs.path("dense")), "steps=30", "ema=0.5")
        _ = try fixtures.prune(
            "random", "macs=0.4", in: RunContext(output: runs.path("pruned")), "finetuning.steps=0")
        let (dense, pruned) = (try fixtures.model("dense").model, try fixtures.model("pruned").model)
        let name = "layer2.0.bn2.running_mean"
        func moments(_ model: ImageClassifier) throws -> [Float] {
            try #require(model.parameters.first { $0.name == name }).variable.value.array
        }
        let kept = try #require(pruned.channelGroups.first { $0.name == "layer2.0.out" }).kept
        #expect(try moments(pruned) != kept.map { try moments(dense)[$0] })
        var data = DataConfiguration()
        data.path = fixtures.data
        let images = try fixtures.model("pruned").images(data)
        let loss = try Predictions(of: pruned, on: images).loss
        // What the dense model's moments make of it.
        for parameter in pruned.parameters where parameter.isStatistic {
            let source = try #require(dense.parameters.first { $0.name == parameter.name })
            let axis = try #require(parameter.axes[0]?.groups[0])
            parameter.load(fileValues: axis.kept.map { source.variable.value.array[$0] })
        }
        #expect(try Predictions(of: pruned, on: images).loss > loss)
    }

    @Test func aTeacherIsImitated() throws {
        try fixtures.train(in: RunContext(output: runs.path("dense")), "steps=20")
        _ = try fixtures.prune(
            "magnitude", "macs=0.5", in: RunContext(output: runs.path("pruned")), "finetuning.steps=0")
        func finetune(in context: RunContext) throws {
            let configuration = try FinetuningRunSettings<StoredImageClassifier>(
                file: nil, overrides: Self.finetuning, data: fixtures.data, hasTeacher: true)
            #expect(configuration.recovery.distillation == 0.5 && configuration.recovery.temperature == 2)
            try FinetuningWorkflow(
                configuration, model: fixtures.model("pruned"), teacher: fixtures.model("dense"), in: context
            ).run()
        }
        try finetune(in: RunContext(output: runs.path("whole")))
        let stops = try runs.advance("run", stoppingAt: 4, finetune)
        #expect(stops.count >= 1)
        try expectSame("run", "whole")
        #expect(try fixtures.model("whole").model.keptChannels == fixtures.model("pruned").model.keptChannels)
    }

    private static let finetuning =
        ClassifierFixtures.small.filter { !$0.hasPrefix("pruning") } + ["recovery.temperature=2"]

    /// Single weights that left stay zero while the rest is trained, running moments included.
    @Test func zerosStayZero() throws {
        try fixtures.train(in: RunContext(output: runs.path("dense")), "steps=6")
        _ = try fixtures.prune(
            "magnitude", "sparsity=0.8", in: RunContext(output: runs.path("pruned")),
            "pruning.granularity=weight", "finetuning.steps=0")
        let configuration = try FinetuningRunSettings<StoredImageClassifier>(
            file: nil, overrides: Self.finetuning, data: fixtures.data, hasTeacher: false)
        try FinetuningWorkflow(
            configuration, model: fixtures.model("pruned"), in: RunContext(output: runs.path("tuned"))
        ).run()
        let (before, after) = (try fixtures.model("pruned").model, try fixtures.model("tuned").model)
        for (old, new) in zip(before.parameters, after.parameters) where old.isMaskable {
            #expect(
                zip(old.variable.value.array, new.variable.value.array).allSatisfy { $0 != 0 || $1 == 0 }, "\(old.name)"
            )
            #expect(old.variable.value.array != new.variable.value.array, "\(old.name)")
        }
    }

    @Test func bothModelsAreComparedOnTheSameImages() throws {
        try fixtures.train(in: RunContext(output: runs.path("dense")), "steps=30", "ema=0.5")
        _ = try fixtures.prune("taylor", "macs=0.5", in: RunContext(output: runs.path("pruned")))
        var settings = ClassifierEvaluationSettings()
        settings.data.path = fixtures.data
        settings.timedBatch = 2
        let result = try ClassifierEvaluationWorkflow(
            settings, dense: LoadedModel(runs.path("dense")), pruned: LoadedModel(runs.path("pruned/model")),
            in: RunContext(output: runs.path("compared"))
        ).run()
        let json = try JSONFile.read(runs.path("compared/metrics.json"))
        #expect(json["count"] == 9 && json["kind"] == "classification")
        let accuracy = try #require(json["accuracy"]?["pruned"]?["mean"]?.doubleValue)
        let table = result.pruned.confusion
        #expect(abs(accuracy - Double((0..<3).reduce(0) { $0 + table[$1][$1] }) / 9) < 1e-12)
        #expect(table.joined().reduce(0, +) == 9 && json["confusion"]?["dense"] != nil)
        #expect(json["efficiency"]?["macs"]?["ratio"]?.doubleValue.map { $0 <= 0.5 } == true)
        let same = zip(result.dense.predictions.classes, result.pruned.predictions.classes).count { $0 == $1 }
        #expect(abs(result.agreement.mean - Double(same) / 9) < 1e-12)
        #expect(try runs.text("compared/report.html").contains("Confusion"))
        #expect(result.summary.contains("accuracy"))
    }

    @Test func weightsAndChannelsAreScoredFromABatchInAFile() throws {
        try fixtures.train(in: RunContext(output: runs.path("dense")), "steps=6")
        let stored = try fixtures.model("dense")
        let images = (0..<(4 * 81)).map { Float($0 % 13) / 13 - 0.5 }
        let batch = runs.path("batch.safetensors")
        try SafetensorsWriter.write(
            [
                NamedTensor("sample", shape: [4, 1, 9, 9], floats: images),
                NamedTensor("labels", shape: [4], floats: [0, 1, 2, 0]),
            ], metadata: [:], to: batch)
        let request = try ScoringRequest(ScoreCriterion(named: "elementwise-taylor"), images: .batch(batch))
        let outcome = try ScoringWorkflow(stored, request, output: runs.path("scores.safetensors")).run()
        let weights = stored.model.parameters.filter(\.isTrainable)
        #expect(outcome.tensors == weights.count)
        let file = try SafetensorsFile(contentsOf: runs.path("scores.safetensors"))
        // |w·g| of the head by a gradient of its own.
        let head = try #require(weights.first { $0.name == "fc.bias" })
        let input = Tensor(images, shape: [4, 9, 9, 1])
        let logits = Autograd.withoutRecording { stored.model.logits(of: Variable(input)).value.array }
        var gradient = [Double](repeating: 0, count: 3)
        for (row, label) in [0, 1, 2, 0].enumerated() {
            let exponentials = (0..<3).map { exp(Double(logits[row * 3 + $0])) }
            for k in 0..<3 {
                gradient[k] += (exponentials[k] / exponentials.reduce(0, +) - (k == label ? 1 : 0)) / 4
            }
        }
        let expected = zip(head.variable.value.array, gradient).map { abs(Double($0) * $1) }
        for (got, wanted) in zip(try file.floats("fc.bias"), expected) {
            #expect(abs(Double(got) - wanted) < 1e-5 * max(wanted, 0.01))
        }
    }

    @Test func whatHasNoMeaningIsRefusedByItsKey() throws {
        func expect(_ text: String, _ body: () throws -> Void, sourceLocation: SourceLocation = #_sourceLocation) {
            let got: String
            do {
                try body()
                got = "nothing"
            } catch {
                got = "\(error)"
            }
            #expect(got.contains(text), "\(got)", sourceLocation: sourceLocation)
        }
        func settings(_ override: String) throws {
            _ = try PruningRunSettings<StoredImageClassifier>(file: nil, overrides: [override], data: "d")
        }
        expect("sample_every") { try settings("finetuning.sample_every=5") }
        expect("jacobian_matching") { try settings("recovery.jacobian_matching=1") }
        expect("label_smoothing") { try settings("finetuning.label_smoothing=1") }
        expect("temperature") { try settings("recovery.temperature=0") }
        try fixtures.train(in: RunContext(output: runs.path("dense")), "steps=2")
        expect("crop_padding") {
            _ = try fixtures.prune(
                "taylor", "macs=0.5", in: RunContext(output: runs.path("a")), "finetuning.crop_padding=9")
        }
        expect("gradient_checkpointing") {
            _ = try fixtures.prune(
                "taylor", "macs=0.5", in: RunContext(output: runs.path("a")),
                "finetuning.gradient_checkpointing=true")
        }
        expect("which this task's losses do not give") {
            _ = try fixtures.prune("diff-pruning", "macs=0.5", in: RunContext(output: runs.path("a")))
        }
        expect("images without labels") {
            var data = DataConfiguration()
            data.path = runs.images.path
            _ = try fixtures.model("dense").images(data)
        }
        #expect(!FileManager.default.fileExists(atPath: runs.path("a").path))
    }
}
