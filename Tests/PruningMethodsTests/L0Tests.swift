import Foundation
import Layers
import Pruning
import TensorCore
import Testing
import Training

@testable import PruningMethods

@Suite struct L0Tests {
    private func variable(_ values: [Float]) -> Variable {
        Variable(Tensor(values, shape: [values.count]), requiresGradient: true)
    }

    // MARK: the distribution

    /// clip(σ((ln u − ln(1 − u) + ln α)·3/2)·1.2 − 0.1), written out.
    @Test func gatesAreThoseWrittenDown() {
        let logits: [Float] = [0, 0, 0, 2, -1, 0.7]
        let uniform: [Float] = [0.5, 0.1, 0.9, 0.4, 0.8, 0.2]
        let gates = HardConcrete.gate(variable(logits), uniform: uniform).value.array
        for (index, gate) in gates.enumerated() {
            let (u, logit) = (Double(uniform[index]), Double(logits[index]))
            let s = 1 / (1 + exp(-(log(u / (1 - u)) + logit) * 1.5))
            #expect(abs(Double(gate) - min(max(s * 1.2 - 0.1, 0), 1)) < 1e-6)
        }
        #expect(gates[0] == 0.5 && gates[1] == 0 && gates[2] == 1)
        let expected = HardConcrete.expectedGate(variable([2, -9, 9])).value.array
        #expect(abs(expected[0] - 0.95696) < 1e-4 && expected[1] == 0 && expected[2] == 1)
    }

    /// The closed form is the share of gates that are not zero.
    @Test(arguments: [-2.0, 0.3, 2]) func theProbabilityToBeOpenIsTheShareOfOpenGates(logit: Double) {
        let probability = Double(HardConcrete.openProbability(variable([Float(logit)])).value.scalar)
        // σ(ln α + ⅔·ln 11)
        #expect(abs(probability - 1 / (1 + exp(-logit - 2 / 3 * log(11.0)))) < 1e-6)
        let count = 20_000
        var stream = RandomStream(seed: 3, purpose: "test-gates")
        let uniform = (0..<count).map { _ in Float(min(max(stream.uniform(), 1e-6), 1 - 1e-6)) }
        let logits = Variable(Tensor([Float](repeating: Float(logit), count: count), shape: [count]))
        let open = HardConcrete.gate(logits, uniform: uniform).value.array.count { $0 > 0 }
        // Five standard deviations.
        let deviation = (probability * (1 - probability) / Double(count)).squareRoot()
        #expect(abs(Double(open) / Double(count) - probability) < 5 * deviation)
    }

    // MARK: gates on a network

    private func gates(_ bench: Bench, penalty: Double = 0.5, seed: UInt64 = 1) throws -> LearnedMasks {
        var configuration = L0.Configuration()
        configuration.penalty = penalty
        return LearnedMasks(
            HardConcrete.Distribution(), in: try bench.context("macs=0.5"), configuration, seed: seed)
    }

    /// Prices add up to one, so that equal gates cost the penalty times their probability to be open.
    @Test func thePenaltyIsTheExpectedCostOfWhatIsOpen() throws {
        let bench = try Bench()
        let gates = try gates(bench)
        defer { gates.detach() }
        let penalty = try #require(gates.regularizer(step: 0))
        #expect(abs(Double(penalty.value.scalar) - 0.5 / (1 + exp(-2 - 2 / 3 * log(11.0)))) < 1e-5)
        // ∂/∂ln α of a channel is what it costs, times p(1 − p): the same for all channels of one axis.
        let logits = gates.parameterGroups[0].parameters
        for each in logits { each.variable.clearGradients() }
        penalty.backward()
        let context = try bench.context("macs=0.5")
        let marginal = context.selection.marginalDensities(of: Masks(context.space))
        let total = zip(marginal, context.space.widths).reduce(0) { $0 + $1.0 * Double($1.1) }
        let p = 1 / (1 + exp(-2 - 2 / 3 * log(11.0)))
        for (each, cost) in zip(logits, marginal) {
            let gradient = try #require(each.variable.gradient).array
            #expect(gradient.allSatisfy { abs(Double($0) - 0.5 * cost / total * p * (1 - p)) < 1e-7 })
        }
    }

    /// Noise is the step's alone, and gates stand on the network until they are taken off.
    @Test func noiseIsAFunctionOfTheStep() throws {
        let bench = try Bench()
        let plain = bench.output(of: bench.model)
        let gates = try gates(bench)
        func output(step: Int) -> [Float] {
            gates.prepare(step: step)
            return bench.output(of: bench.model)
        }
        let first = output(step: 3)
        #expect(first != plain && output(step: 4) != first && output(step: 3) == first)
        let other = try self.gates(bench, seed: 2)
        other.prepare(step: 3)
        #expect(bench.output(of: bench.model) != first)
        // The first ones are on nothing any more.
        gates.detach()
        #expect(bench.model.channelGroups.allSatisfy { $0.gating != nil })
        other.detach()
        #expect(bench.output(of: bench.model) == plain)
    }

    /// Under a price that outweighs everything gates close, and without one they stay.
    @Test func aPriceClosesGates() throws {
        func meanLogit(_ penalty: Double) throws -> Double {
            let bench = try Bench()
            var configuration = L0.Configuration()
            configuration.penalty = penalty
            configuration.learningRate = 0.2
            let context = try bench.context("macs=0.5", steps: 30)
            var pruner = L0(configuration, seed: 1)
            let gates = try #require(pruner.extensions(in: context)[0] as? LearnedMasks)
            try bench.train(steps: 15, extensions: [gates])
            defer { gates.detach() }
            let all = gates.scores.flatMap { $0 }
            return all.reduce(0, +) / Double(all.count)
        }
        let (cheap, dear) = (try meanLogit(1e-6), try meanLogit(100))
        #expect(dear < 0.5 && cheap > 1, "\(cheap), \(dear)")
    }

    @Test func theHighestLogitsStay() throws {
        let bench = try Bench()
        let context = try bench.context("macs=0.5")
        var pruner = L0(L0.Configuration(), seed: 1)
        let gates = try #require(pruner.extensions(in: context)[0] as? LearnedMasks)
        for (index, each) in gates.parameterGroups[0].parameters.enumerated() {
            var stream = RandomStream(seed: 8, purpose: "test-gates", index: UInt64(index))
            stream.fillNormal(each.variable.value.unsafeBuffer)
        }
        let logits = gates.scores
        var masks = Masks(context.space)
        _ = try pruner.update(&masks, number: 0, in: context)
        #expect(
            masks
                == (try context.selection.masks(
                    keeping: Scores(context.space, bySite: logits), remaining: context.remaining)))
        #expect(bench.model.channelGroups.allSatisfy { $0.gating == nil })
    }
}
