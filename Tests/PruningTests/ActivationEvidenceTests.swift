import Foundation
import Layers
import Pruning
import TensorCore
import TestSupport
import Testing
import Training

/// What layers read, and what each input adds to their outputs: against loops written out again.
@Suite struct ActivationEvidenceTests {
    /// One strided convolution of an image whose channels come in two parts,
    /// and a 1×1 convolution of its parts as they are.
    private final class Convolutions: ChannelNetwork {
        let wide: Conv2d, joined: Conv2d
        let channelGroups: [ChannelGroup]
        let normalizations: [any ChannelNormalization] = []
        let computeTerms: [ComputeTerm] = []
        var parameters: [Parameter] { wide.parameters + joined.parameters }
        let parts: [Variable]

        init() throws {
            let builder = ChannelAxisBuilder()
            let (a, b) = (try builder.axis("a", width: 2), try builder.axis("b", width: 1))
            wide = Conv2d("wide", from: a, to: .fixed("out", width: 3), kernel: 3, stride: 2)
            joined = Conv2d("joined", from: a + b, to: .fixed("sum", width: 2), kernel: 1, padding: .none)
            channelGroups = builder.groups
            parts = [2, 1].map { channels in
                let tensor = Tensor(uninitialized: [2, 5, 4, channels])
                var stream = RandomStream(seed: 7, purpose: "test-inputs", index: UInt64(channels))
                stream.fillNormal(tensor.unsafeBuffer)
                return Variable(tensor)
            }
            initialize(seed: 2)
        }

        func rebuilt(keeping kept: [String: [Int]]) throws -> Convolutions { try Convolutions() }

        func loss() -> Variable {
            let (one, other) = (wide(parts[0]), joined(parts))
            return one.meanSquaredError(to: Tensor(zeros: one.shape))
                + other.meanSquaredError(to: Tensor(zeros: other.shape))
        }

        func evidence() -> EvidenceSource {
            EvidenceSource(
                network: self, arena: ParameterArena(parameters), calibration: TinyLoss(batches: 2) { self.loss() })
        }
    }

    // MARK: statistics

    /// The chain's activations in double.
    @Test func statisticsOfAChainAreThoseOfItsActivations() throws {
        let (network, task) = (try ChainTask.network(), ChainTask())
        let arena = ParameterArena(network.parameters)
        let source = EvidenceSource(network: network, arena: arena, calibration: task.calibration(of: network))
        var masks = Masks(.channels(of: network))
        masks[0] = [1, 0, 0.5, 1, 1, 1, 1, 1]
        for masks in [Masks(.channels(of: network)), masks] {
            let statistics = try source(InputStatistics(), at: masks)
            let activations = task.activations(of: network, .channels, masks.values.map(Double.init))
            for (layer, inputs) in zip(network.layers, activations) {
                let found = try #require(statistics[layer.weight])
                for channel in inputs[0].indices {
                    let values = inputs.map { $0[channel] }
                    let size = values.reduce(0) { $0 + abs($1) } / Double(values.count)
                    let square = values.reduce(0) { $0 + $1 * $1 } / Double(values.count)
                    #expect(
                        close(found.meanSize[channel], size, 1e-5) && close(found.meanSquare[channel], square, 1e-5))
                }
            }
        }
        // What no loss reaches has none.
        #expect(try source(InputStatistics(), at: masks)[try ChainNetwork().layers[0].weight] == nil)
    }

    @Test func partsThatAreReadTogetherLieOneBehindTheOther() throws {
        let network = try Convolutions()
        let statistics = try network.evidence()(InputStatistics(), at: Masks(.channels(of: network)))
        let found = try #require(statistics[network.joined.weight])
        for (channel, (part, offset, width)) in [(0, 0, 2), (0, 1, 2), (1, 0, 1)].enumerated() {
            let values = network.parts[part].value.array.enumerated().filter { $0.offset % width == offset }
                .map { Double($0.element) }
            #expect(values.count == 40)
            #expect(close(found.meanSize[channel], values.reduce(0) { $0 + abs($1) } / 40, 1e-6))
            #expect(close(found.meanSquare[channel], values.reduce(0) { $0 + $1 * $1 } / 40, 1e-6))
        }
        #expect(found.meanSize.count == 3 && statistics[network.wide.weight]?.meanSize.count == 2)
    }

    // MARK: contributions

    /// Every sample is the products of some place and some output, tap by tap, padding and stride as they are.
    @Test func contributionsOfAConvolutionAreItsProducts() throws {
        let network = try Convolutions()
        let kind = LayerContributions(samplesPerBatch: 40, seed: 5)
        let samples = try network.evidence()(kind, at: Masks(.channels(of: network)))
        let wide = try #require(samples[network.wide.weight])
        #expect(wide.width == 2 && wide.count == 80)
        let (x, w) = (network.parts[0].value.array, network.wide.weight.variable.value.array)
        var possible: [[Double]] = []
        for image in 0..<2 {
            for (y, column) in [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)] {
                for output in 0..<3 {
                    possible.append(
                        (0..<2).map { channel in
                            var sum = 0.0
                            for (dy, dx) in (0..<9).map({ ($0 / 3, $0 % 3) }) {
                                let (row, place) = (2 * y + dy - 1, 2 * column + dx - 1)
                                guard (0..<5).contains(row), (0..<4).contains(place) else { continue }
                                let value = x[((image * 5 + row) * 4 + place) * 2 + channel]
                                sum += Double(value) * Double(w[((dy * 3 + dx) * 2 + channel) * 3 + output])
                            }
                            return sum
                        })
                }
            }
        }
        expectSamples(wide, among: possible)

        let joined = try #require(samples[network.joined.weight])
        let (z, v) = (network.parts[1].value.array, network.joined.weight.variable.value.array)
        expectSamples(
            joined,
            among: (0..<40).flatMap { place in
                (0..<2).map { output in
                    let inputs = [x[place * 2], x[place * 2 + 1], z[place]]
                    return inputs.enumerated().map { Double($1) * Double(v[$0 * 2 + output]) }
                }
            })
    }

    private func expectSamples(
        _ samples: LayerContributions.Samples, among possible: [[Double]],
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        var found: Set<Int> = []
        for sample in 0..<samples.count {
            let own = samples.contributions[(sample * samples.width)..<((sample + 1) * samples.width)]
            let match = possible.firstIndex { zip($0, own).allSatisfy { close($0, $1, 1e-6) } }
            #expect(match != nil, "sample \(sample): \(own)", sourceLocation: sourceLocation)
            if let match { found.insert(match) }
            #expect(close(samples.outputs[sample], own.reduce(0, +), 1e-12), sourceLocation: sourceLocation)
        }
        // At random: most places and outputs come up.
        #expect(found.count > possible.count / 2, sourceLocation: sourceLocation)
    }

    /// A masked network is looked at where the whole one was.
    @Test func samplesOfAMaskedNetworkBelongToThoseOfTheWholeOne() throws {
        let (network, task) = (try ChainTask.network(), ChainTask())
        let source = EvidenceSource(
            network: network, arena: ParameterArena(network.parameters), calibration: task.calibration(of: network))
        let kind = LayerContributions(samplesPerBatch: 10, seed: 5)
        var masks = Masks(.channels(of: network))
        masks[0] = [1, 0, 1, 1, 1, 1, 0, 1]
        let whole = try source(kind, at: Masks(masks.space))
        let masked = try source(kind, at: masks)
        func contributions(_ value: LayerContributions.Value, _ layer: Int) throws -> [Double] {
            try #require(value[network.layers[layer].weight]).contributions
        }
        #expect(try contributions(masked, 0) == contributions(whole, 0))
        let (before, after) = (try contributions(whole, 1), try contributions(masked, 1))
        #expect(before.count == 3 * 10 * 8)
        for index in before.indices { #expect(after[index] == ([1, 6].contains(index % 8) ? 0 : before[index])) }
        #expect(try contributions(masked, 2) != contributions(whole, 2))
        let others = try source(LayerContributions(samplesPerBatch: 10, seed: 6), at: masks)
        #expect(try contributions(others, 0) != contributions(masked, 0))
    }

    @Test func whatIsReadMustBeFinite() throws {
        let network = try ChainTask.network()
        let source = EvidenceSource(
            network: network, arena: ParameterArena(network.parameters),
            calibration: ChainTask().calibration(of: network))
        network.layers[0].weight.variable.value.fill(.infinity)
        let masks = Masks(.channels(of: network))
        #expect(throws: EvidenceError.self) { try source(InputStatistics(), at: masks) }
        #expect(throws: EvidenceError.self) { try source(LayerContributions(samplesPerBatch: 4, seed: 0), at: masks) }
    }
}
