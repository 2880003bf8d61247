import Layers
import Pruning
import PruningMethods
import TensorCore
import Testing
import Training

@Suite struct OwnMethodTests {
    /// Channels without weights take part in nothing: they get no gradient, and leave first.
    @Test func whatGetsNoGradientLeaves() throws {
        let network = try Perceptron(width: 8)
        network.initialize(seed: 0)
        let dead = [1, 5]
        for parameter in network.parameters where parameter.name != "output.bias" {
            for channel in dead { parameter.variable.value.pointer[channel] = 0 }
        }
        for (kind, granularity) in [(PruningSpace.Kind.channels, Granularity.channel), (.weights, .weight)] {
            let space = PruningSpace.of(kind, in: network)
            // excerpt
            let method = MethodEntry(rankingBy: GradientPower.self)
            var pruner = try method.make(nil, 0)
            // end
            let context = PruningContext(
                space: space,
                evidence: EvidenceSource(
                    network: network, arena: ParameterArena(network.parameters),
                    calibration: CurveCalibration(network, Curve(seed: 0)), declared: method.needs),
                selection: try Selection(
                    space: space, network: network, budget: Budget(.sparsity, 0.25), granularity: granularity,
                    minimumFraction: 0),
                timing: PlanTiming(steps: 0, softFraction: 0, space: kind, remaining: 0.75))
            var masks = Masks(space)
            let report = try pruner.update(&masks, number: 0, in: context)
            #expect(report.density == 0.75)
            for site in masks.bySite {
                #expect(site.indices.filter { site[$0] == 0 } == dead, "\(kind)")
            }
        }
    }

    /// By the chain rule at one point x: ∂L/∂w_out,k = 2(f − y)·h_k.
    @Test func evidenceIsTheMeanOfSquares() throws {
        let network = try Perceptron(width: 3)
        network.initialize(seed: 2)
        let arena = ParameterArena(network.parameters)
        let calibration = CurveCalibration(network, Curve(seed: 3))
        let evidence = EvidenceSource(network: network, arena: arena, calibration: calibration)
        let squares = try evidence(SquaredBatchGradients(), at: Masks(.channels(of: network)))
        let bias = try #require(network.parameters.firstIndex { $0.name == "output.bias" })
        // ∂L/∂(output bias) is twice the mean error.
        let expected =
            (0..<calibration.batchCount).map { number -> Double in
                let points = Curve(seed: 3).calibrationBatch(number: number, of: 8, size: 16)
                let outputs = network(Variable(points.x)).value.array
                let slope = 2 * zip(outputs, points.y.array).reduce(0.0) { $0 + Double($1.0 - $1.1) } / 16
                return slope * slope
            }.reduce(0, +) / 8
        let got = Double(arena.slice(squares, bias).array[0])
        #expect(abs(got - expected) <= 1e-5 * expected, "\(got), expected \(expected)")
    }
}
