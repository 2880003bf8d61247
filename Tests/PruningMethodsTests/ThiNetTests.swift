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

    /// Σ over layers of what became of their outputs, relative to what those were: by samples that chose nothing.
    private func reconstructionError(after pruner: some Pruner) throws -> Double {
        let bench = try Bench()
        let context = try bench.context("params=0.6", steps: 0)
        let samples = LayerContributions(samplesPerBatch: 256, seed: 77)
        let evidence = EvidenceSource(network: bench.model, arena: bench.arena, calibration: bench)
        let whole = try evidence(samples, at: Masks(context.space))
        let masks = try bench.run(pruner, in: context).masks
        evidence.weightsChanged()
        let pruned = try evidence(samples, at: masks)
        return bench.model.parameters.reduce(0) { sum, weight in
            guard weight.isMaskable, let before = whole[weight]?.outputs, let after = pruned[weight]?.outputs else {
                return sum
            }
            let difference = zip(before, after).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            return sum + difference / before.reduce(0) { $0 + $1 * $1 }
        }
    }

    @Test func repairsBringLayersOutputsNearerAndTheChoiceIsBetterThanChance() throws {
        var configuration = ThiNet.Configuration()
        configuration.samplesPerBatch = 256
        let repaired = try reconstructionError(after: ThiNet(configuration, seed: 3))
        configuration.reconstruct = false
        let plain = try reconstructionError(after: ThiNet(configuration, seed: 3))
        #expect(repaired < 0.9 * plain, "\(plain) → \(repaired)")
        for seed in 1...3 as ClosedRange<UInt64> {
            let random = try reconstructionError(
                after: ScoreAndRank<RandomScores>(RankingConfiguration(), seed: seed))
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
