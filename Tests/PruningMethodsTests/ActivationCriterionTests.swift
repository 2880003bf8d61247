import Layers
import Pruning
import PruningMethods
import TensorCore
import Testing

/// Criteria of what layers read.
@Suite struct ActivationCriterionTests {
    /// |w| times the root mean square of the input that it is multiplied with.
    @Test func wandaIsTheWeightTimesItsInputsSize() throws {
        let bench = try Bench()
        let masks = Masks(bench.space(.weights))
        let statistics = try bench.evidence()(InputStatistics(), at: masks)
        let scores = try Wanda(NoConfiguration(), seed: 1).scores(
            at: masks, from: bench.evidence(declared: Wanda.needs))
        for (site, own) in zip(masks.space.sites, scores.bySite) {
            guard case .weight(let weight, _) = site else { continue }
            let inputs = try #require(statistics[weight], "\(site.name)")
            let shape = weight.variable.shape
            let (from, to) = (shape[shape.count - 2], shape[shape.count - 1])
            let values = weight.variable.value.array
            for tap in 0..<(values.count / (from * to)) {
                for input in 0..<from {
                    for output in 0..<to {
                        let place = (tap * from + input) * to + output
                        let expected = Double(abs(values[place])) * inputs.meanSquare[input].squareRoot()
                        #expect(abs(own[place] - expected) <= 1e-12 * expected)
                    }
                }
            }
        }
        #expect(Wanda.card.comparesRows)
    }

    /// The means of |x| of all layers that read an axis, wherever it lies in their inputs, relative to the axis's mean.
    @Test func activationMagnitudeIsTheMeanOverThoseWhoRead() throws {
        let bench = try Bench()
        let masks = Masks(bench.space(.channels))
        let statistics = try bench.evidence()(InputStatistics(), at: masks)
        let scores = try ActivationMagnitude(NoConfiguration(), seed: 1).scores(
            at: masks, from: bench.evidence(declared: ActivationMagnitude.needs))
        var readers: [Int] = []
        for (group, own) in zip(masks.space.groups, scores.bySite) {
            var sums = own.map { _ in 0.0 }
            var count = 0
            for parameter in bench.arena.parameters where parameter.layout != .plain {
                var offset = 0
                for axis in parameter.axes[parameter.axes.count - 2]?.groups ?? [] {
                    if axis === group.axis, let inputs = statistics[parameter] {
                        count += 1
                        for channel in sums.indices { sums[channel] += inputs.meanSize[offset + channel] }
                    }
                    offset += axis.width
                }
            }
            readers.append(count)
            let mean = sums.reduce(0, +) / Double(sums.count)
            for (channel, score) in own.enumerated() {
                #expect(abs(score - sums[channel] / mean) <= 1e-9, "\(group.name)")
            }
        }
        #expect(readers.allSatisfy { $0 > 0 } && readers.contains { $0 > 1 })
    }
}
