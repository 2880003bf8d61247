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

    /// E x² − (E x)², beside the two passes that an observer makes.
    @Test func varianceIsThatOfWhatIsRead() throws {
        final class Reader: OperationObserver {
            var values: [ObjectIdentifier: (width: Int, rows: [Float])] = [:]
            func ran(_ operation: LayerOperation, inputs: [Variable], parameters: [Parameter], output: Variable) {
                guard let weight = parameters.first, weight.isMaskable, inputs.count == 1 else { return }
                let width = inputs[0].shape.last ?? 1
                values[ObjectIdentifier(weight), default: (width, [])].rows += inputs[0].value.array
            }
        }
        let bench = try Bench()
        let masks = Masks(bench.space(.channels))
        let statistics = try bench.evidence()(InputStatistics(), at: masks)
        let reader = Reader()
        try reader.observing {
            for batch in 0..<bench.batchCount { _ = try Autograd.withoutRecording { try bench.loss(batch: batch) } }
        }
        for parameter in bench.model.parameters {
            guard let found = statistics[parameter], let seen = reader.values[ObjectIdentifier(parameter)] else {
                continue
            }
            let count = Double(seen.rows.count / seen.width)
            for channel in 0..<seen.width {
                let own = stride(from: channel, to: seen.rows.count, by: seen.width).map { Double(seen.rows[$0]) }
                let mean = own.reduce(0, +) / count
                let variance = own.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
                #expect(abs(found.variance[channel] - variance) < 1e-9 + 1e-6 * variance, "\(parameter.name)")
            }
        }
        #expect(!reader.values.isEmpty)
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
