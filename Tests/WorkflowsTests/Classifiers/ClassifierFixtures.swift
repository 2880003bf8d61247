import Foundation
import Imagery
import ModelFolders
import Runs
import TestSupport

@testable import Workflows

/// Runs of a few steps on a tiny ResNet and labelled pictures that take no time.
final class ClassifierFixtures {
    let runs: RunFixtures

    init() throws {
        runs = try RunFixtures()
        let folder = runs.path("labelled")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        for (prefix, count, shift) in [("train", 24, 0), ("t10k", 9, 5)] {
            // Class k is bright in its k-th third from the top, mirrored or not; other pixels are noise.
            var pixels: [UInt8] = [0, 0, 8, 3, 0, 0, 0, UInt8(count), 0, 0, 0, 9, 0, 0, 0, 9]
            for image in 0..<count {
                for place in 0..<81 {
                    let isBright = place / 27 == image % 3
                    pixels.append(UInt8((isBright ? 160 : 20) + (image * 31 + place * 17 + shift) % 60))
                }
            }
            try Data(pixels).write(to: folder.appendingPathComponent("\(prefix)-images-idx3-ubyte"))
            let labels: [UInt8] = [0, 0, 8, 1, 0, 0, 0, UInt8(count)] + (0..<count).map { UInt8($0 % 3) }
            try Data(labels).write(to: folder.appendingPathComponent("\(prefix)-labels-idx1-ubyte"))
        }
        try Data(
            """
            model: {architecture: resnet20, depths: [2, 1], widths: [6, 8], input_size: 9, in_channels: 1,
              num_classes: 3}
            data: {path: "\(folder.path)", flip: true}
            training: {batch_size: 6, steps: 13, ema: 0.9, checkpoint_every: 4, keep_checkpoints: true,
              learning_rate: 0.01, label_smoothing: 0.1, crop_padding: 1, evaluate_every: 5}
            """.utf8
        ).write(to: configuration)
    }

    var configuration: URL { runs.path("classifier.yaml") }
    var data: String { runs.path("labelled").path }

    func train(in context: RunContext, _ overrides: String...) throws {
        try TrainingWorkflow(
            ClassifierTrainingRunConfiguration(
                file: configuration, overrides: overrides.map { "training.\($0)" }), in: context
        ).run()
    }

    func model(_ run: String) throws -> StoredImageClassifier {
        try ImageClassifierFolder(runs.path("\(run)/model")).load()
    }

    static let small = [
        "finetuning.steps=8", "finetuning.batch_size=6", "finetuning.log_every=3", "finetuning.checkpoint_every=3",
        "finetuning.ema=0.9", "pruning.calibration_batches=2", "pruning.calibration_batch_size=4",
    ]

    func prune(_ method: String, _ target: String, in context: RunContext, _ overrides: String...) throws
        -> PruningOutcome
    {
        let configuration = try PruningRunSettings<StoredImageClassifier>(
            file: nil, overrides: Self.small + overrides, method: method, target: target, data: data)
        return try PruningWorkflow(configuration, model: model("dense"), in: context).run()
    }
}
