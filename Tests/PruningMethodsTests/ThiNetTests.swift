import Pruning
import TensorCore
import Testing

@testable import PruningMethods

@Suite struct ThiNetTests {
    /// The errors of a greedy choice, computed from the samples themselves.
    private func greedy(_ samples: [[Double]]) -> [Double] {
        let width = samples[0].count
        var removed: [Int] = []
        var errors = [Double](repeating: 0, count: width)
        var highest = 0.0
        while removed.count < width {
            func error(_ channel: Int) -> Double {
                samples.reduce(0) { sum, sample in
                    let gone = (removed + [channel]).reduce(0) { $0 + sample[$1] }
                    return sum + gone * gone
                }
            }
            let left = (0..<width).filter { !removed.contains($0) }
            guard let best = left.min(by: { (error($0), $0) < (error($1), $1) }) else { break }
            highest = max(highest, error(best))
            errors[best] = highest
            removed.append(best)
        }
        return errors
    }

    @Test(arguments: [1, 2, 5, 9]) func channelsLeaveInTheGreedyOrder(width: Int) {
        for seed in 0..<5 as Range<UInt64> {
            var stream = RandomStream(seed: seed, purpose: "test-samples")
            let samples = (0..<30).map { _ in (0..<width).map { _ in Double(stream.normal()) } }
            var gram: [Double] = []
            for i in 0..<width {
                for j in 0..<width { gram.append(samples.reduce(0) { $0 + $1[i] * $1[j] }) }
            }
            let expected = greedy(samples)
            let got = ThiNet.errorsAtRemoval(gram: gram, width: width)
            #expect(zip(got, expected).allSatisfy { abs($0 - $1) <= 1e-9 * max(1, $1) }, "\(got) \(expected)")
        }
    }

    /// Two channels that add up to nothing leave before any other.
    @Test func channelsThatCancelLeaveTogether() {
        let samples = [[1.0, 3, -1, 2], [-2, 1, 2, 2], [4, -1, -4, 1]]
        var gram: [Double] = []
        for i in 0..<4 { for j in 0..<4 { gram.append(samples.reduce(0) { $0 + $1[i] * $1[j] }) } }
        let errors = ThiNet.errorsAtRemoval(gram: gram, width: 4)
        // 2 and 1 alone add 9 and 11; 0 and 2 add 21 each, and nothing together.
        #expect(errors == greedy(samples))
    }

    @Test func repairsBringLayersOutputsNearerAndTheChoiceIsBetterThanChance() throws {
        var configuration = ThiNet.Configuration()
        configuration.samplesPerBatch = 256
        let repaired = try Bench.outputError(after: ThiNet(configuration, seed: 3), "params=0.6")
        configuration.reconstruct = false
        let plain = try Bench.outputError(after: ThiNet(configuration, seed: 3), "params=0.6")
        #expect(repaired < 0.9 * plain, "\(plain) → \(repaired)")
        for seed in 1...3 as ClosedRange<UInt64> {
            let random = try Bench.outputError(
                after: ScoreAndRank<RandomScores>(RankingConfiguration(), seed: seed), "params=0.6")
            #expect(plain < random, "\(plain), random \(random)")
        }
    }

    @Test func theRepairIsAStageOfThePlan() {
        let timing = PlanTiming(steps: 4, softFraction: 0.5, space: .channels, remaining: 0.5)
        var configuration = ThiNet.Configuration()
        #expect(
            ThiNet(configuration, seed: 1).plan(timing).stages == [
                .update(0), .reconstruct, .compact, .train(steps: 4),
            ])
        configuration.reconstruct = false
        #expect(!ThiNet(configuration, seed: 1).plan(timing).stages.contains(.reconstruct))
    }
}
