import Foundation
import Pruning
import TensorCore
import Testing

@testable import PruningMethods

@Suite struct ChannelLassoTests {
    private func gram(_ samples: [[Double]]) -> [Double] {
        let width = samples[0].count
        return (0..<width).flatMap { i in (0..<width).map { j in samples.reduce(0) { $0 + $1[i] * $1[j] } } }
    }

    /// The conditions of an optimum: |b − Gβ| is λ in the direction of β where β ≠ 0, and at most λ elsewhere.
    @Test(arguments: [0.5, 0.05, 0.001]) func descentEndsAtTheOptimum(share: Double) {
        var stream = RandomStream(seed: 3, purpose: "test-lasso")
        let samples = (0..<40).map { _ in (0..<7).map { _ in Double(stream.normal()) / 6 } }
        let gram = gram(samples)
        let correlations = (0..<7).map { row in (0..<7).reduce(0) { $0 + gram[row * 7 + $1] } }
        let lambda = share * (correlations.map(abs).max() ?? 0)
        var beta = [Double](repeating: 0, count: 7)
        ChannelLasso.descend(&beta, gram: gram, correlations: correlations, lambda: lambda)
        for channel in 0..<7 {
            let slope = correlations[channel] - (0..<7).reduce(0) { $0 + gram[channel * 7 + $1] * beta[$1] }
            if beta[channel] == 0 {
                #expect(abs(slope) <= lambda + 1e-8)
            } else {
                #expect(abs(slope - (beta[channel] > 0 ? lambda : -lambda)) < 1e-6)
            }
        }
    }

    /// Channels of orthogonal contributions enter in the order of their energies, each at its own.
    @Test func orthogonalChannelsEnterByTheirSize() {
        let samples = [[3.0, 0, 0], [0, 1, 0], [0, 0, 2]]
        let entries = ChannelLasso.entries(gram: gram(samples), width: 3, pathLength: 2000)
        for (entry, energy) in zip(entries, [9.0, 1, 4]) { #expect(abs(entry / energy - 1) < 0.01) }
    }

    /// A channel that adds nothing never enters, and a copy of half the size is not needed beside the original.
    @Test func whatSaysNothingNewEntersLast() {
        var stream = RandomStream(seed: 9, purpose: "test-lasso")
        let samples = (0..<50).map { _ in
            let (a, b) = (Double(stream.normal()), Double(stream.normal()))
            return [a, 0.5 * a, 0, b]
        }
        let entries = ChannelLasso.entries(gram: gram(samples), width: 4, pathLength: 100)
        #expect(entries[2] == 0 && entries[1] < 0.1 * entries[0] && entries[3] > entries[1])
    }

    /// The layers' outputs come nearer to what they were than those of a choice at random, repaired in the same way.
    @Test func reconstructsBetterThanRandom() throws {
        func error(_ name: String) throws -> Double {
            let bench = try Bench()
            let context = try bench.context("params=0.6", steps: 0)
            let samples = LayerContributions(samplesPerBatch: 256, seed: 77)
            let evidence = EvidenceSource(network: bench.model, arena: bench.arena, calibration: bench)
            let whole = try evidence(samples, at: Masks(context.space))
            var masks = Masks(context.space)
            var pruner = try MethodCatalog.entry(named: name).make(nil, 4)
            _ = try pruner.update(&masks, number: 0, in: context)
            let masked = masks
            evidence.weightsChanged()
            try RidgeCompensation(seed: 5).apply(masked, in: context)
            evidence.weightsChanged()
            let after = try evidence(samples, at: masked)
            var (sum, count) = (0.0, 0.0)
            for parameter in bench.model.parameters {
                guard let before = whole[parameter]?.outputs, let now = after[parameter]?.outputs else { continue }
                let energy = before.reduce(0) { $0 + $1 * $1 }
                guard energy > 0 else { continue }
                sum += zip(before, now).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / energy
                count += 1
            }
            return sum / count
        }
        let (lasso, random) = (try error("channel-lasso"), try error("random"))
        #expect(lasso < random, "\(lasso), \(random)")
    }
}
