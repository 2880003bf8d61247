import Foundation
import ModelFolders
import Runs
import Testing

@testable import Workflows

/// What a run says of itself on its way.
@Suite struct RunProgressTests {
    private func news(_ method: String, _ overrides: [String] = []) throws -> [ProgressUpdate] {
        let runs = try RunFixtures()
        try runs.train("dense", "steps=2")
        let configuration = try PruningRunConfiguration(
            file: nil,
            overrides: [
                "finetuning.steps=12", "finetuning.batch_size=2", "finetuning.log_every=100",
                "finetuning.sample_every=8",
                "pruning.calibration_batches=3", "pruning.calibration_batch_size=2", "pruning.soft_fraction=0.5",
            ] + overrides, method: method, data: runs.images.path)
        var news: [ProgressUpdate] = []
        _ = try PruningWorkflow(
            configuration, pipeline: PipelineFolder(runs.path("dense/model")).load(),
            in: RunContext(output: runs.path("run"), progress: { news.append($0) })
        ).run()
        return news
    }

    @Test func aPruningRunSpeaksFromItsFirstLossToItsLastStep() throws {
        let news = try news("gradient-flow", ["method.rounds=3"])
        let said = news.map(\.position)
        #expect(said.prefix(2) == ["reading images", "trying out a step"])
        #expect(said.contains("scoring batch 1 of 3 (mask update 1 of 3)"))
        #expect(said.contains("scoring pass 2, batch 3 of 3 (mask update 3 of 3)"))
        #expect(said.contains("mask update 2 of 3") && said.contains("removing channels"))
        #expect(said.contains("soft pruning step 3 of 12") && said.last == "fine-tuning step 12 of 12")
        #expect(said.contains { $0.hasPrefix("drawing samples, picture ") && $0.hasSuffix("of 64 (step 8 of 12)") })

        let statements = news.filter(\.isStatement).map(\.phase)
        #expect(statements.count == 1, "\(statements)")
        let pattern = /3 mask updates of about [^,]+, 12 steps of about [^,]+, 1 sample grid of about [^,]+: about .+/
        #expect(statements.first?.wholeMatch(of: pattern) != nil, "\(statements)")
        // From then on the time left is always known, and nothing is left at the end.
        let after = news.drop { !$0.isStatement }.dropFirst()
        #expect(after.allSatisfy { ($0.remaining ?? -1) >= 0 } && news.last?.remaining == 0)
    }

    @Test func theLossShownIsThatOfTheLastSteps() throws {
        let losses = try news("magnitude").filter { $0.position.hasPrefix("fine-tuning step") }.map(\.detail)
        #expect(losses.count > 6 && Set(losses.dropFirst()).count > 4, "\(losses)")
    }

    @Test func repairsAndStepsBackAreTold() throws {
        let thinet = try news("thinet").map(\.position)
        #expect(thinet.contains("scoring batch 1 of 3 (mask update 1 of 1)"))
        #expect(
            thinet.contains("reconstructing batch 1 of 3") && thinet.contains("reconstructing pass 2, batch 3 of 3"))
        #expect(try news("lottery").map(\.position).contains("taking the weights back to 'early'"))
    }

    @Test func picturesAreCountedNotTheirSteps() throws {
        let runs = try RunFixtures()
        try runs.train("dense", "steps=2")
        var request = SamplingRequest()
        (request.count, request.steps, request.batchSize) = (5, 4, 2)
        var news: [ProgressUpdate] = []
        try SamplingWorkflow(
            PipelineFolder(runs.path("dense/model")).load(), request,
            in: RunContext(output: runs.path("pictures"), progress: { news.append($0) })
        ).run()
        let said = news.filter { !$0.isStatement }
        #expect(said.allSatisfy { $0.phase == "sampling" && $0.unit == "picture" && $0.total == 5 })
        #expect(said.map(\.completed) == said.map(\.completed).sorted() && said.first?.completed == 1)
        #expect(said.last?.completed == 5 && said.last?.remaining == 0)
        #expect(news.count(where: \.isStatement) == 1)
    }
}
