import Foundation
import ModelFolders
import TestSupport
import Runs
import Testing
import Workflows

@Suite struct FeatureTrainingTests {
    /// A training of seconds on the bundled pictures.
    private func short(_ change: (inout FeatureTrainingConfiguration) -> Void = { _ in })
        -> FeatureTrainingConfiguration
    {
        var configuration = FeatureTrainingConfiguration()
        configuration.data.path = Repository.url("Samples/fashion-mnist").path
        configuration.features.widths = [8, 16, 16]
        configuration.features.inputSize = 28
        configuration.features.epochs = 4
        configuration.features.batchSize = 50
        configuration.features.warmUpSteps = 10
        change(&configuration)
        return configuration
    }

    @Test func trainingLearnsAndGivesTheSameFilesTwice() throws {
        let configuration = short {
            $0.features.maximumShift = 1
            $0.data.flip = true
        }
        var files: [[Data]] = []
        for _ in 0..<2 {
            try withTemporaryFolder { scratch in
                let folder = scratch.appendingPathComponent("features")
                var losses: [Double] = []
                let result = try FeatureTrainingWorkflow(
                    configuration, in: RunContext(output: folder)
                ).run { progress in
                    losses.append(progress.loss)
                    #expect(progress.step == losses.count && progress.totalSteps == 160)
                }
                #expect(losses.count == 160)
                let first: Double = losses.prefix(10).reduce(0, +)
                let last: Double = losses.suffix(10).reduce(0, +)
                #expect(last < 0.6 * first, "from \(first) to \(last)")
                // A tenth would be chance.
                #expect(result.testAccuracy > 0.55, "\(result.testAccuracy)")
                #expect(result.trainCount == 2000 && result.testCount == 500)
                let loaded = try FeatureClassifierFolder(folder).load().model
                #expect(loaded.configuration.testAccuracy == result.testAccuracy)
                #expect(loaded.configuration.classNames.count == 10)
                files.append(
                    try ["config.json", "model.safetensors"].map {
                        try Data(contentsOf: folder.appendingPathComponent($0))
                    })
            }
        }
        #expect(files[0] == files[1])
    }

    @Test func whatFailsLeavesNothingBehind() throws {
        struct Stop: Error {}
        try withTemporaryFolder { scratch in
            let folder = scratch.appendingPathComponent("features")
            #expect(throws: Stop.self) {
                _ = try FeatureTrainingWorkflow(short(), in: RunContext(output: folder)).run { _ in throw Stop() }
            }
            #expect(!FileManager.default.fileExists(atPath: folder.path))

            // A folder with something in it is not replaced unasked, and is found out before any work.
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
            let file = folder.appendingPathComponent("mine.txt")
            try Data("mine".utf8).write(to: file)
            #expect(throws: (any Error).self) {
                _ = try FeatureTrainingWorkflow(short(), in: RunContext(output: folder)).run { _ in
                    Issue.record("it has begun")
                }
            }
            #expect(FileManager.default.fileExists(atPath: file.path))
        }
    }

    @Test func unusableConfigurationsNameTheirKey() throws {
        func message(_ change: (inout FeatureTrainingConfiguration) -> Void) -> String {
            do {
                _ = try FeatureTrainingWorkflow.train(short(change))
                return "no error"
            } catch {
                return "\(error)"
            }
        }
        for (message, wanted) in [
            (message { $0.data.path = "" }, "path' is missing"),
            (message { $0.data.split = .test }, "split' is test"),
            (message { $0.features.widths = [8] }, "widths' is 1 numbers"),
            (message { $0.features.inputSize = 30 }, "input_size' is 30, expected a multiple of 4"),
            (message { $0.features.epochs = 0 }, "epochs' is 0"),
            (message { $0.features.batchSize = 0 }, "batch_size' is 0"),
            (message { $0.features.learningRate = .nan }, "learning_rate' is nan"),
            (message { $0.features.maximumShift = 28 }, "maximum_shift' is 28"),
            (message { $0.features.seed = -1 }, "seed' is -1"),
            (message { $0.features.classNames = ["a", "b"] }, "class_names' is 2 names, expected 10"),
        ] {
            #expect(message.contains(wanted), "\(message)")
        }
    }
}
