import Layers
import Pruning
import PruningMethods
import TensorCore
import Testing
import Training

@Suite struct OwnModelTests {
    @Test func aModelOfYourOwnIsTrainedPrunedAndTrainedOn() throws {
        // excerpt
        var configuration = TrainingConfiguration()
        configuration.steps = 1500
        configuration.learningRate = 0.01
        configuration.ema = 0
        let curve = Curve(seed: 0)
        let network = try Perceptron(width: 32)
        network.initialize(seed: 0)
        let trainer = try Trainer(CurveFitting(), network: network, batches: curve, configuration: configuration)
        for _ in 0..<1000 { try trainer.advance() }

        let space = PruningSpace.channels(of: network)
        let timing = PlanTiming(steps: 500, softFraction: 0, space: .channels, remaining: 0.5)
        let context = PruningContext(
            space: space,
            evidence: EvidenceSource(
                network: network, arena: trainer.arena, calibration: CurveCalibration(network, curve)),
            selection: try Selection(
                space: space, network: network, budget: Budget(.macs, 0.5), granularity: .channel,
                minimumFraction: 0.1),
            timing: timing)
        var masks = Masks(space)
        var method = ScoreAndRank<Taylor>(.init(), seed: 0)
        let report = try method.update(&masks, number: 0, in: context)

        let compaction = try Compaction(network, masks: masks)
        try trainer.adopt(compaction.network) { compaction.gather($0, from: $1, to: $2) }
        for _ in 0..<500 { try trainer.advance() }
        // end

        #expect(report.removed == 16 && report.density == 0.5)
        #expect(compaction.network.channelGroups.map(\.width) == [16])
        #expect(compaction.network.parameterCount == 49 && network.parameterCount == 97)
        let loss = CurveCalibration(trainer.network, curve).loss(batch: 0).value.scalar
        #expect(loss < 1e-3, "the smaller network has the curve: \(loss)")
    }

    @Test func theMaskedModelIsItsCompactedOne() throws {
        let network = try Perceptron(width: 6)
        network.initialize(seed: 1)
        let masks = Masks(PruningSpace.channels(of: network), [1, 0, 1, 1, 0, 1])
        let x = Variable(Tensor([-1, 0, 0.5], shape: [3, 1]))
        let masked = masks.applied { network(x).value.array }
        let compacted = try Compaction(network, masks: masks).network(x).value.array
        #expect(zip(masked, compacted).allSatisfy { abs($0 - $1) < 1e-6 } && masked != network(x).value.array)
    }
}
