import Foundation
import Pruning
import PruningMethods
import Testing

@Suite struct LotteryTests {
    private func timing(_ remaining: Double, steps: Int = 100) -> PlanTiming {
        PlanTiming(steps: steps, softFraction: 0.5, space: .weights, remaining: remaining)
    }

    /// 0.8ⁿ first falls to a half at n = 4, to a tenth at n = 11.
    @Test(arguments: [(0.5, 4), (0.8, 1), (0.81, 1), (0.64, 2), (0.1, 11)]) func thereAreAsManyRoundsAsItTakes(
        remaining: Double, rounds: Int
    ) {
        #expect(Lottery(Lottery.Configuration(), seed: 1).plan(timing(remaining)).updates == rounds)
    }

    /// Each round trains from the early weights, is pruned, and goes back to them.
    @Test func roundsGoBackToTheEarlyWeights() {
        let plan = Lottery(Lottery.Configuration(), seed: 1).plan(timing(0.64))
        #expect(
            plan.stages == [
                .train(steps: 5), .snapshot("early"), .train(steps: 22), .update(0),
                .rewind(to: "early", weights: true),
                .train(steps: 23), .update(1), .rewind(to: "early", weights: true), .train(steps: 50), .bake,
            ])
        #expect(plan.steps == 100)
    }

    @Test(arguments: [("sparsity=0.6", Granularity.weight), ("sparsity=0.6", .channel)])
    func aFifthOfWhatIsLeftLeavesInEachRound(target: String, granularity: Granularity) throws {
        let bench = try Bench()
        let context = try bench.context(target, granularity)
        let outcome = try bench.run(Lottery(Lottery.Configuration(), seed: 1), in: context)
        #expect(outcome.reports.count == 5)
        for (round, report) in outcome.reports.enumerated() {
            let density = max(0.4, pow(0.8, Double(round + 1)))
            #expect(report.density <= density + 1e-12 && report.density > density - 1.5 / Double(context.space.count))
            #expect(report.recovered == 0)
        }
    }

    /// Without steps after the last rewinding, what is left are the early weights, masked.
    @Test func whatIsLeftAreTheEarlyWeights() throws {
        let bench = try Bench()
        let early = bench.arena.values.array
        var configuration = Lottery.Configuration()
        configuration.early = 0
        var context = try bench.context("sparsity=0.5", .weight)
        context = PruningContext(
            space: context.space, evidence: context.evidence, selection: context.selection,
            timing: PlanTiming(steps: 6, softFraction: 1, space: .weights, remaining: 0.5))
        let outcome = try bench.run(Lottery(configuration, seed: 1), in: context)
        let masks = outcome.masks.flat(in: bench.arena).array
        #expect(outcome.weights == zip(early, masks).map { $0 * $1 })
    }
}
