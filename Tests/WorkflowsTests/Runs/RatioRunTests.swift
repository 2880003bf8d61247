import Files
import Foundation
import ModelFolders
import Runs
import Testing

@testable import Workflows

/// Runs with ratios of their own.
@Suite struct RatioRunTests {
    private func names(_ runs: RunFixtures) throws -> [String] {
        try PipelineFolder(runs.path("dense/model")).load().model.channelGroups.filter(\.isPrunable).map(\.name)
    }

    private func ratios(_ runs: RunFixtures, _ share: Double) throws -> URL {
        let names = try names(runs)
        let file = runs.path("ratios.json")
        try JSONFile.write(
            ["ratios": .object(Dictionary(uniqueKeysWithValues: names.map { ($0, .double(share)) }))], to: file)
        return file
    }

    /// The run holds what the file said: it is resumed without the file, to the same bits.
    @Test(arguments: ["magnitude", "taylor", "gradient-flow"]) func theRunKeepsWhatTheFileSays(method: String) throws {
        let runs = try RunFixtures()
        try runs.train("dense", "steps=2")
        let file = try ratios(runs, 0.5)
        func workflow(
            _ name: String, _ configuration: PruningRunConfiguration, resumed: Bool
        ) throws -> PruningWorkflow<Pipeline> {
            PruningWorkflow(
                configuration, pipeline: try PipelineFolder(runs.path("dense/model")).load(),
                in: RunContext(output: runs.path(name), occupied: resumed ? .resumed : .refused))
        }
        let configuration = try PruningRunConfiguration(
            file: nil,
            overrides: [
                "finetuning.steps=4", "finetuning.batch_size=2", "pruning.calibration_batches=1",
                "pruning.calibration_batch_size=2",
            ], method: method, ratios: file.path, data: runs.images.path)
        let record = try workflow("whole", configuration, resumed: false).run().record
        let names = try names(runs)
        for group in record.groups where names.contains(group.name) {
            #expect(group.kept.count == group.originalWidth / 2, "\(group.name)")
        }
        #expect(record.asked.quantity == "macs" && record.asked.value == record.achieved.macs.ratio)

        do {
            let (run, folder) = try workflow("stopped", configuration, resumed: false).opened()
            try run.advanceStage(in: folder)
        }
        try FileManager.default.removeItem(at: file)
        let stored = try PruningRunConfiguration(file: runs.path("stopped/config.yaml"))
        #expect(stored.pruning == configuration.pruning)
        _ = try workflow("stopped", stored, resumed: true).run()
        let weights = "model/unet/diffusion_pytorch_model.safetensors"
        #expect(try runs.data("stopped/\(weights)") == runs.data("whole/\(weights)"))
    }

    @Test func whatIsNoFileOfRatiosIsRefused() throws {
        let runs = try RunFixtures()
        try runs.train("dense", "steps=1")
        let good = try ratios(runs, 0.5)
        try Data("{}".utf8).write(to: runs.path("none.json"))
        for (path, words) in [
            (runs.path("nowhere.json").path, "a file of ratios"), (runs.path("none.json").path, "with 'ratios'"),
        ] {
            #expect { try PruningRunConfiguration(file: nil, method: "magnitude", ratios: path) } throws: {
                "\($0)".contains(words) && "\($0)".contains(path)
            }
        }
        #expect {
            try PruningRunConfiguration(
                file: nil, overrides: ["pruning.allocation=global"], method: "magnitude", ratios: good.path)
        } throws: { "\($0)".contains("pruning.allocation") }
        #expect { try PruningRunConfiguration(file: nil, overrides: ["pruning.allocation=ratios"]) } throws: {
            "\($0)".contains("pruning.ratios")
        }
    }
}
