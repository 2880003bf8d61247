import Foundation
import ModelFolders
import TestSupport
import Testing

/// Classifiers from one end to the other, on files in the binary format of CIFAR: the configurations of published rows
/// need no more than the data.
@Suite struct ClassifierTests {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        for (folder, files, labelBytes, classes) in [
            ("ten", ["data_batch_1.bin", "test_batch.bin"], 1, 10), ("hundred", ["train.bin", "test.bin"], 2, 100),
        ] {
            let url = scratch.url.appendingPathComponent(folder)
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
            for (number, file) in files.enumerated() {
                var data = Data()
                for record in 0..<(number == 0 ? 24 : 6) {
                    let label = record * 7 % classes
                    data.append(contentsOf: Array(repeating: UInt8(0), count: labelBytes - 1) + [UInt8(label)])
                    // Brightness tells the class, with some noise.
                    data.append(contentsOf: (0..<3072).map { UInt8((label * 20 + $0 * 13 % 17 + number) % 256) })
                }
                try data.write(to: url.appendingPathComponent(file))
            }
        }
    }

    private func run(_ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation) throws -> Tool.Result {
        let result = try Tool.run(arguments + ["--quiet", "--threads", "1"])
        #expect(result.status == 0 && result.complaints.isEmpty, "\(result.errors)", sourceLocation: sourceLocation)
        return result
    }

    private func expectRefused(
        _ text: String, _ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let result = try Tool.run(arguments + ["--quiet", "--threads", "1"])
        #expect([64, 65].contains(result.status), "\(result.errors)", sourceLocation: sourceLocation)
        #expect(
            result.complaints.count == 1 && result.errors.contains(text), "\(result.errors)",
            sourceLocation: sourceLocation)
    }

    /// The configurations as they are but for their size and length.
    @Test(arguments: [
        ("resnet50-cifar10", "ten"), ("vgg19-cifar10", "ten"), ("resnet50-cifar100", "hundred"),
        ("vgg19-cifar100", "hundred"),
    ])
    func thePublishedConfigurationsNeedOnlyTheData(name: String, data: String) throws {
        let model = scratch.path("run/model")
        let trained = try run(
            "train", "--config", Repository.url("configs/\(name).yaml").path, "--output", scratch.path("run"), "--set",
            "data.path=\(scratch.path(data))", "model.depths=[1,1]", "model.widths=[4,6]", "training.steps=3",
            "training.batch_size=8", "training.evaluate_every=2")
        #expect(trained.output.contains("test accuracy: ") && trained.output.contains("model: \(model)"))
        let information = try run("info", "--model", model, "--json").output
        #expect(information.contains("\"class\": \"ImageClassifier\""))
        #expect(information.contains("\"classes\": \(data == "ten" ? 10 : 100)"))
        let pruned = try run(
            "prune", "--model", model, "--output", scratch.path("half"), "--method", "taylor", "--target", "macs=0.6",
            "--data", scratch.path(data), "--finetune-steps", "2", "--set", "finetuning.batch_size=6",
            "pruning.calibration_batches=2", "recovery.distillation=0.5")
        #expect(pruned.output.contains("test accuracy: "))
        let stored = try ImageClassifierFolder(scratch.url.appendingPathComponent("half/model")).load()
        #expect(try #require(stored.pruning).achieved.macs.ratio <= 0.6)
    }

    @Test func everyCommandHasAMeaningOrIsRefused() throws {
        let (data, model, half) = (scratch.path("ten"), scratch.path("run/model"), scratch.path("half"))
        _ = try run(
            "train", "--config", Repository.url("configs/classifier.yaml").path, "--output", scratch.path("run"),
            "--set", "data.path=\(data)", "model.depths=[1,1]", "model.widths=[4,6]", "model.input_size=8",
            "training.steps=4", "training.batch_size=8", "training.evaluate_every=0")
        _ = try run(
            "prune", "--model", model, "--output", half, "--method", "magnitude", "--target", "macs=0.6",
            "--finetune-steps", "0")
        _ = try run(
            "finetune", "--model", "\(half)/model", "--teacher", model, "--data", data, "--steps", "2", "--output",
            scratch.path("tuned"), "--set", "finetuning.batch_size=6")
        let metrics = try run(
            "evaluate", "--dense", model, "--pruned", scratch.path("tuned"), "--data", data, "--output",
            scratch.path("compared"), "--json"
        ).output
        #expect(metrics.contains("\"agreement\"") && metrics.contains("\"confusion\""))
        let scores = try run(
            "score", "--model", model, "--criterion", "taylor", "--data", data, "--batches", "2", "--output",
            scratch.path("scores.safetensors"))
        #expect(scores.output.contains("groups, loss"))
        let bench = try run(
            "bench", "--model", model, "--pruned", "\(half)/model", "--batch", "2", "--runs", "2", "--layers")
        #expect(bench.output.contains("batch norm") && bench.output.contains("Hessian"))
        let study = try run(
            "compare", "--model", model, "--data", data, "--methods", "taylor,random", "--targets", "macs=0.6",
            "--seeds", "2", "--finetune-steps", "2", "--set", "finetuning.batch_size=6",
            "pruning.calibration_batches=2", "--output", scratch.path("study"))
        #expect(study.output.contains("accuracy") && study.output.contains("agreement"))
        let table = try scratch.text("study/comparison.csv")
        #expect(table.hasPrefix("name,method,target,seed,state,accuracy,agreement,loss,macs,"))
        #expect(table.split(separator: "\n").count == 5 && !table.contains("failed"))

        let out = scratch.path("none")
        try expectRefused("sampling has no meaning", "sample", "--model", model, "--output", out)
        try expectRefused("predicting noise has no", "predict", "--model", model, "--input", data, "--output", out)
        try expectRefused(
            "exporting has no meaning", "export", "--model", model, "--format", "onnx", "--output", out)
        try expectRefused(
            "--count has no effect with classifiers", "evaluate", "--dense", model, "--pruned", half, "--count", "3",
            "--data", data, "--output", out)
        try expectRefused("labelled images", "evaluate", "--dense", model, "--pruned", half, "--output", out)
        try expectRefused(
            "recovery.generated", "prune", "--model", model, "--data", data, "--generated", "images", "--output", out)
        try expectRefused(
            "this task's losses do not give", "prune", "--model", model, "--data", data, "--method", "diff-pruning",
            "--output", out)
        try expectRefused("a classifier draws nothing", "bench", "--model", model, "--work", "sampling")
        try expectRefused(
            "num_classes", "train", "--config", Repository.url("configs/classifier.yaml").path, "--output", out,
            "--set", "data.path=\(scratch.path("hundred"))")
        #expect(!scratch.exists("none"))
    }
}
