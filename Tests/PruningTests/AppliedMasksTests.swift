import Foundation
import Layers
import Pruning
import TensorCore
import TestSupport
import Testing
import Training

/// Masks on a network: what it computes with them, their gradients, and that nothing of them stays.
@Suite struct AppliedMasksTests {
    private struct Stop: Error {}

    /// Neither masks nor gates of ours: what a method may have put there.
    private final class Halved: Reparameterization {
        func materialize(_ base: Variable) -> Variable { base.scaled(by: 0.5) }
    }

    private func output(_ network: ChainNetwork) -> [Float] {
        Autograd.withoutRecording { network(Variable(ChainTask().inputs)).value.array }
    }

    @Test(arguments: [PruningSpace.Kind.channels, .weights], [false, true])
    func whatWasThereIsThereAgain(kind: PruningSpace.Kind, fails: Bool) throws {
        let network = try ChainTask.network()
        let gate = LeafGate(Variable(Tensor([Float](repeating: 0.5, count: 8), shape: [8])))
        let halved = Halved()
        network.channelGroups[0].gating = gate
        network.layers[1].weight.reparameterization = halved
        let before = output(network)
        let space = PruningSpace.of(kind, in: network)
        for trainable in [false, true] {
            let masks = Masks.random(space, seed: 1)
            func body(_: AppliedMasks) throws {
                #expect(output(network) != before)
                #expect(kind == .weights || network.channelGroups[0].gating !== gate)
                #expect(kind == .channels || network.layers[1].weight.reparameterization !== halved)
                if fails { throw Stop() }
            }
            if fails {
                #expect(throws: Stop.self) { try masks.applied(trainable: trainable, body) }
            } else {
                try masks.applied(trainable: trainable, body)
            }
            #expect(network.channelGroups[0].gating === gate && network.channelGroups[1].gating == nil)
            #expect(network.layers[1].weight.reparameterization === halved)
            #expect(network.layers[0].weight.reparameterization == nil)
            #expect(output(network) == before)
        }
    }

    @Test(arguments: [PruningSpace.Kind.channels, .weights]) func masksWithinMasksEndWithTheOuterOnes(
        kind: PruningSpace.Kind
    ) throws {
        let network = try ChainTask.network()
        let space = PruningSpace.of(kind, in: network)
        let (outer, inner) = (Masks.random(space, seed: 1), Masks.random(space, seed: 2))
        let expected = outer.applied { output(network) }
        let other = inner.applied { output(network) }
        #expect(expected != other)
        outer.applied {
            #expect(inner.applied { output(network) } == other)
            #expect(output(network) == expected)
        }
    }

    /// A zero in a mask is a zero in the weight, bit for bit, and every layer asks for what it computes with.
    @Test(arguments: TinyUNet.all) func aMaskedWeightIsAWeightWithZeros(tiny: TinyUNet) throws {
        let model = try tiny.model()
        let space = PruningSpace.weights(of: model)
        let masks = Masks.random(space, seed: 4)
        let plain = tiny.output(of: model)
        let masked = masks.applied { tiny.output(of: model) }
        for (site, mask) in zip(space.sites, masks.bySite) {
            guard case .weight(let parameter, _) = site else { continue }
            for (element, value) in mask.enumerated() { parameter.variable.value.pointer[element] *= value }
        }
        #expect(tiny.output(of: model) == masked && masked != plain)
    }

    /// u = m·w: ∂L/∂m = w·∂L/∂u and ∂L/∂w = m·∂L/∂u, so that m·∂L/∂m = w·∂L/∂w, for every weight of every layer.
    @Test(arguments: [TinyUNet.all[0], TinyUNet.all[2], TinyUNet.all[6], TinyUNet.all[12]])
    func gradientsOfWeightMasksAreWeightsTimesThoseOfWeights(tiny: TinyUNet) throws {
        let model = try tiny.model()
        let arena = ParameterArena(model.parameters)
        let space = PruningSpace.weights(of: model)
        var stream = RandomStream(seed: 5, purpose: "test-masks")
        let masks = Masks(space, (0..<space.count).map { _ in Float(0.25 + 0.75 * stream.uniform()) })
        let loss = TinyLoss { tiny.loss(of: model) }
        let gradient = try EvidenceSource(network: model, arena: arena, calibration: loss)(Gradients(), at: masks)
        let weights = space.values(of: arena.values, in: arena)
        let slopes = space.values(of: gradient.weights, in: arena)
        let ofMasks = gradient.masks.sum().values
        let largest = ofMasks.reduce(0) { max($0, abs($1)) }
        for index in 0..<space.count {
            let (left, right) = (Double(masks.values[index]) * ofMasks[index], Double(weights[index] * slopes[index]))
            #expect(abs(left - right) <= 1e-6 * largest, "\(space.sites[space.site(of: index)].name)")
        }
        #expect(space.ranges.allSatisfy { $0.contains { abs(ofMasks[$0]) > 1e-6 * largest } }, "a layer feels nothing")
    }

    /// Against differences of the same network written out in double.
    @Test(arguments: [PruningSpace.Kind.channels, .weights]) func gradientsAreTheSlopesOfTheLoss(
        kind: PruningSpace.Kind
    ) throws {
        let task = ChainTask()
        let network = try ChainTask.network()
        let arena = ParameterArena(network.parameters)
        let space = PruningSpace.of(kind, in: network)
        var stream = RandomStream(seed: 6, purpose: "test-masks")
        let masks = Masks(space, (0..<space.count).map { _ in Float(0.25 + 0.75 * stream.uniform()) })
        let source = EvidenceSource(network: network, arena: arena, calibration: task.calibration(of: network))
        let gradient = try source(Gradients(), at: masks)
        let values = masks.values.map(Double.init)
        #expect(abs(gradient.loss - task.loss(of: network, kind, values)) < 1e-6)
        #expect(abs(try source(CalibrationLoss(), at: masks) - gradient.loss) < 1e-6)
        let slopes = gradient.masks.sum().values
        let largest = slopes.reduce(0) { max($0, abs($1)) }
        for index in stride(from: 0, to: space.count, by: kind == .channels ? 1 : 7) {
            var (up, down) = (values, values)
            up[index] += 1e-4
            down[index] -= 1e-4
            let slope = (task.loss(of: network, kind, up) - task.loss(of: network, kind, down)) / 2e-4
            #expect(abs(slopes[index] - slope) <= 2e-5 * largest, "\(index)")
        }
    }

    /// What does not reach the loss has no gradient, and starts anew at each batch.
    @Test func gradientsOfWhatIsNotUsedAreZero() throws {
        let network = try ChainTask.network()
        let arena = ParameterArena(network.parameters)
        let space = PruningSpace.channels(of: network)
        let task = ChainTask()
        var calls = 0
        // The first batch goes through everything, the second through the last layer only.
        let loss = TinyLoss(batches: 2) {
            calls += 1
            if calls % 2 == 1 { return task.loss(of: network) }
            let x = Variable(Tensor(ones: [2, 12]))
            return network.layers[2](x).meanSquaredError(to: Tensor(zeros: [2, 4]))
        }
        let parts = try EvidenceSource(network: network, arena: arena, calibration: loss)(
            Gradients(), at: Masks(space)
        ).masks.parts
        #expect(parts.count == 2 && parts[0].contains { $0 != 0 })
        #expect(parts[1].allSatisfy { $0 == 0 })
    }
}

/// One loss as a calibration source.
final class TinyLoss: CalibrationSource {
    let batchCount: Int
    private let loss: () throws -> Variable

    init(batches: Int = 1, _ loss: @escaping () throws -> Variable) {
        batchCount = batches
        self.loss = loss
    }

    func loss(batch: Int) throws -> Variable { try loss() }
}
