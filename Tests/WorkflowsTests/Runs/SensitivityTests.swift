import Files
import Foundation
import ModelFolders
import Runs
import Testing

@testable import Workflows

@Suite struct SensitivityTests {
    private static let settings = [
        "sensitivity.ratios=[0.25,0.5]", "sensitivity.timesteps=3", "sensitivity.images=4", "sensitivity.pictures=2",
        "sensitivity.steps=2", "sensitivity.calibration_batches=1", "sensitivity.calibration_batch_size=2",
        "sensitivity.batch_size=3",
    ]
    private static let planted = "down_blocks.0.resnets.0"

    private let runs: RunFixtures

    init() throws {
        runs = try RunFixtures()
        try runs.train("dense", "steps=3")
    }

    /// A model in which nothing reads a group: the weights that its outputs are multiplied by are zero.
    private func pipeline() throws -> Pipeline {
        let pipeline = try PipelineFolder(runs.path("dense/model")).load()
        for parameter in pipeline.model.parameters where parameter.name == "\(Self.planted).conv2.weight" {
            parameter.variable.value.fill(0)
        }
        return pipeline
    }

    private func run(_ context: RunContext, _ overrides: String...) throws -> SensitivityResult {
        try SensitivityWorkflow(
            SensitivityConfiguration(file: nil, overrides: Self.settings + overrides, data: runs.images.path),
            pipeline: pipeline(), in: context
        ).run()
    }

    @Test(arguments: ["taylor", "magnitude"]) func aGroupThatNothingReadsIsFound(criterion: String) throws {
        let result = try run(RunContext(output: runs.path("s")), "sensitivity.criterion=\(criterion)")
        let planted = "\(Self.planted).inner"
        #expect(result.plan.ratios == [0.5, 0.25])
        for (group, share) in zip(result.groups, result.suggestion.shares) {
            let readings = result.readings.filter { $0.kind == .group && $0.name == group.name }
            #expect(readings.map(\.ratio) == [0.5, 0.25] + (group.isRemovable ? [0] : []))
            if group.name == planted {
                #expect(readings.allSatisfy { $0.epsilonByTimestep == [0, 0, 0] })
                #expect(share == 0.25)
            } else {
                #expect(readings.allSatisfy { $0.epsilon > 0 && $0.epsilonByTimestep.count == 3 }, "\(group.name)")
            }
        }
        #expect(result.blocks.contains("mid_block"))
        #expect(result.suggestion.remaining[0] <= 0.5 && result.suggestion.remaining[0] > 0.3)
    }

    /// What is written leads to a model within the target, and the report shows both maps.
    @Test func theSuggestionIsOneThatPruneTakes() throws {
        let result = try run(RunContext(output: runs.path("s")), "sensitivity.target=params=0.6")
        let configuration = try PruningRunConfiguration(
            file: nil, overrides: ["pruning.minimum_fraction=0"], method: "magnitude",
            ratios: runs.path("s/ratios.json").path)
        let record = try PruningWorkflow(
            configuration, pipeline: pipeline(), in: RunContext(output: runs.path("pruned"))
        ).run().record
        #expect(record.achieved.parameters.ratio == result.suggestion.remaining[0])
        #expect(record.achieved.parameters.ratio <= 0.6)
        let report = try runs.text("s/report.html")
        #expect(report.components(separatedBy: "<svg").count > 4 && report.contains("down_blocks.0.resnets.0.inner"))
        #expect(try result.summary.contains("suggested"))
        #expect(try JSONFile.read(runs.path("s/sensitivity.json"))["groups"] == result.json["groups"])
    }

    @Test func aStoppedRunEndsWithTheSameBits() throws {
        _ = try run(RunContext(output: runs.path("whole")))
        let stops = try runs.advance("stopped", stoppingAt: 7) { _ = try run($0) }
        #expect(stops.count > 1 && stops.allSatisfy { $0.hasPrefix("probe ") }, "\(stops)")
        // A probe that is damaged is made again.
        let probe = "stopped/probes/\(FileNumber.text(1)).json"
        let before = try runs.data(probe)
        try Data("{".utf8).write(to: runs.path(probe))
        _ = try run(RunContext(output: runs.path("stopped"), occupied: .resumed))
        #expect(try runs.data(probe) == before)
        for name in try runs.names("whole/probes") {
            #expect(try runs.data("whole/probes/\(name)") == runs.data("stopped/probes/\(name)"), "\(name)")
        }
        #expect(try runs.data("whole/ratios.json") == runs.data("stopped/ratios.json"))
        #expect(throws: RunFolder.Failure.self) {
            _ = try run(RunContext(output: runs.path("stopped"), occupied: .resumed), "sensitivity.seed=1")
        }
    }

    @Test(arguments: [
        ("sensitivity.ratios=[1]", "sensitivity.ratios"), ("sensitivity.ratios=[0.5,0.5]", "each once"),
        ("sensitivity.criterion=wanda", "scores channels"), ("sensitivity.criterion=tayler", "taylor"),
        ("sensitivity.target=macs=0.0001", "cannot be reached"), ("sensitivity.target=params=900M", "the model has"),
        ("sensitivity.timesteps=0", "1...1000"),
    ])
    func whatCannotBeIsRefusedBeforeAnythingIsRead(override: String, words: String) throws {
        let output = runs.path("refused")
        #expect { _ = try run(RunContext(output: output), override) } throws: { "\($0)".contains(words) }
        #expect(!FileManager.default.fileExists(atPath: output.path))
    }

    @Test func blocksAreTheNetworksOwn() {
        #expect(SensitivityProbe.block(of: "down_blocks.0.resnets.1.inner") == "down_blocks.0")
        #expect(SensitivityProbe.block(of: "mid_block.resnets.0.inner") == "mid_block")
        #expect(SensitivityProbe.block(of: "conv_in.out") == "conv_in")
    }
}
