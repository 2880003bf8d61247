import Files
import Foundation
import ModelFolders
import Runs
import Testing

@testable import Workflows

/// Runs whose target is an amount.
@Suite struct AmountRunTests {
    private func prune(
        _ runs: RunFixtures, _ name: String, _ target: String, _ overrides: String..., method: String = "magnitude",
        model: String = "dense/model"
    ) throws -> PruningOutcome {
        let configuration = try PruningRunConfiguration(file: nil, overrides: overrides, method: method, target: target)
        return try PruningWorkflow(
            configuration, pipeline: PipelineFolder(runs.path(model)).load(), in: RunContext(output: runs.path(name))
        ).run()
    }

    private func size(_ runs: RunFixtures, _ file: String) throws -> Double { Double(try runs.data(file).count) }

    /// What the record says is the size of the file, to the byte.
    @Test(arguments: ["channel", "block", "aligned", "regular"])
    func theFileIsNoLargerThanAskedForAndAsLargeAsSaid(granularity: String) throws {
        let runs = try RunFixtures()
        try runs.train("dense", "steps=1")
        let file = "model/unet/diffusion_pytorch_model.safetensors"
        let dense = try size(runs, "dense/\(file)")
        let target = "bytes=\(Int(dense * 0.7)),macs=0.95"
        let record = try prune(
            runs, "pruned", target, "pruning.granularity=\(granularity)", "pruning.block_size=2", "pruning.multiple=2"
        ).record
        let pruned = try size(runs, "pruned/\(file)")
        #expect(record.achieved.bytes == .init(dense: dense, pruned: pruned))
        #expect(pruned <= (dense * 0.7).rounded(.down))
        #expect(record.target == target && record.asked.text == "bytes=\(Int(dense * 0.7))")
        #expect(
            record.achievedRequest?.hasPrefix("bytes=") == true && record.achievedRequest?.contains(",macs=0.") == true)
        // An amount is one of what is left, however often a model was pruned before; a share is of the model given.
        #expect { _ = try prune(runs, "again", target, model: "pruned/model") } throws: {
            "\($0)".contains("is no less than what the model has")
        }
    }

    @Test func theCompactFileOfSingleWeightsIsAsSmallAsAskedFor() throws {
        let runs = try RunFixtures()
        try runs.train("dense", "steps=1")
        let file = "model/unet/diffusion_pytorch_model"
        let dense = try size(runs, "dense/\(file).safetensors")
        let record = try prune(runs, "pruned", "bytes=0.6", "pruning.granularity=weight").record
        let pruned = try size(runs, "pruned/\(file).sparse.safetensors")
        #expect(record.achieved.bytes == .init(dense: dense, pruned: pruned))
        #expect(pruned <= 0.6 * dense)
    }

    @Test func aForecastSaysTheLeastInTheUnitOfTheTarget() throws {
        let runs = try RunFixtures()
        try runs.train("dense", "steps=1")
        let configuration = try PruningRunConfiguration(file: nil, method: "magnitude", target: "params=2k")
        let forecast = try PruningWorkflow(
            configuration, pipeline: PipelineFolder(runs.path("dense/model")).load(),
            in: RunContext(output: runs.path("none"))
        ).forecast()
        let lowest = try #require(forecast.json["lowest"]?["params"]?.doubleValue)
        #expect(lowest > 1 && lowest < 2000)
        #expect(forecast.pruning?.removal?.achieved.parameters.pruned ?? 0 <= 2000)
    }
}
