import Foundation
import Layers
import Pruning
import TensorCore
import Testing
import Training

@testable import PruningMethods

/// Methods that learn masks, or what masks follow from, on problems with a known answer.
@Suite struct LearnedMaskTests {
    private func variable(_ values: [Float]) -> Variable {
        Variable(Tensor(values, shape: [values.count]), requiresGradient: true)
    }

    // MARK: Gumbel-Softmax

    @Test func gumbelsTemperatureFallsAlongAnExponential() {
        let gates = BinaryConcrete(first: 1, last: 0.1)
        #expect(abs(gates.temperature(0) - 1) < 1e-12 && abs(gates.temperature(1) - 0.1) < 1e-12)
        #expect(abs(gates.temperature(0.5) - 0.1.squareRoot()) < 1e-12)
        #expect(gates.temperature(7) == gates.temperature(1))
    }

    /// Forward a choice, backward the softmax: dy/dl = y(1 − y)/τ.
    @Test func gumbelChoosesForwardAndIsSoftBackward() throws {
        let gates = BinaryConcrete(first: 0.5, last: 0.5)
        let (values, uniform): ([Float], [Float]) = ([0.3, -1, 2], [0.5, 0.9, 0.05])
        let logits = variable(values)
        let relaxed = gates.relaxed(logits, uniform: uniform, progress: 0).value.array.map(Double.init)
        for (index, y) in relaxed.enumerated() {
            let (l, u) = (Double(values[index]), Double(uniform[index]))
            #expect(abs(y - 1 / (1 + exp(-(l + log(u) - log(1 - u)) / 0.5))) < 1e-6)
        }
        let mask = gates.mask(logits, uniform: uniform, progress: 0)
        #expect(mask.value.array == relaxed.map { $0 > 0.5 ? 1 : 0 })
        mask.summed(over: .all).backward()
        let gradient = try #require(logits.gradient).array
        for (g, y) in zip(gradient, relaxed) { #expect(abs(Double(g) - y * (1 - y) / 0.5) < 1e-5) }
    }

    // MARK: variational dropout

    /// At ln α = 0 and far out, where the closed form is nearly exact: KL → 0 for large α, ½·ln(1/α) + k₁(1 − σ) below.
    @Test func theDivergenceIsMolchanovs() {
        let values: [Float] = [-8, -2, 0, 3, 8]
        let found = WeightNoise.divergence(variable(values)).value.array
        for (value, kl) in zip(values, found) {
            let a = Double(value)
            let sigmoid = 1 / (1 + exp(-(1.87320 + 1.48695 * a)))
            let expected = -0.63576 * sigmoid + 0.5 * log(1 + exp(-a)) + 0.63576
            #expect(abs(Double(kl) - expected) < 1e-5, "\(value)")
        }
        #expect(abs(found[4]) < 1e-3 && found[0] > 4)
    }

    /// Weights that are nearly zero can bear any noise: they are the first to go, but for those that training moves.
    @Test func variationalDropoutDropsPlantedNoiseWeights() throws {
        let bench = try Bench()
        let space = bench.space(.weights)
        var planted: [Int] = []
        for (site, range) in zip(space.sites, space.ranges) {
            guard case .weight(let parameter, _) = site else { continue }
            for position in stride(from: 0, to: parameter.count, by: 2) {
                parameter.variable.value.pointer[position] *= 1e-4
                planted.append(range.lowerBound + position)
            }
        }
        let context = try bench.context("sparsity=0.5", .weight, steps: 20)
        let outcome = try bench.run(VariationalDropout(VariationalDropout.Configuration(), seed: 2), in: context)
        let gone = planted.count { outcome.masks.values[$0] == 0 }
        #expect(Double(gone) > 0.9 * Double(planted.count), "\(gone) of \(planted.count)")
    }

    // MARK: movement

    private final class Recorder: TrainingExtension {
        let name = "recorder"
        var gradients: [Float] = []
        func afterBackward(step: Int, optimizer: Optimizer) { gradients = optimizer.arena.gradients.array }
    }

    /// After one step S = −w·∂L/∂w: what moves towards zero has a negative score.
    @Test func movementAddsUpWhatTrainingMoves() throws {
        let bench = try Bench()
        let context = try bench.context("sparsity=0.5", .weight)
        var pruner = Movement(Movement.Configuration(), seed: 1)
        let movement = try #require(pruner.extensions(in: context)[0] as? MovementScores)
        let recorder = Recorder()
        let before = context.space.values(of: bench.arena.values.copied(), in: bench.arena)
        try bench.train(steps: 1, extensions: [movement, recorder])
        let slopes = context.space.values(
            of: Tensor(recorder.gradients, shape: [recorder.gradients.count]), in: bench.arena)
        let scores = try #require(movement.state.arrays["scores"])
        let largest = zip(before, slopes).map { abs($0 * $1) }.max() ?? 0
        for (index, score) in scores.enumerated() {
            #expect(abs(score + before[index] * slopes[index]) <= 1e-4 * largest)
        }
        movement.detach()
        for site in context.space.sites {
            if case .weight(let parameter, _) = site { #expect(parameter.reparameterization == nil) }
        }
    }

    /// Scores that are no numbers end the step that would rank by them.
    @Test func movementRefusesBrokenScores() throws {
        let bench = try Bench()
        let context = try bench.context("sparsity=0.5", .weight)
        var configuration = Movement.Configuration()
        configuration.every = 1
        var pruner = Movement(configuration, seed: 1)
        let movement = try #require(pruner.extensions(in: context)[0] as? MovementScores)
        defer { movement.detach() }
        try bench.train(steps: 1, extensions: [movement])
        var state = movement.state
        state.arrays["scores"]?[3] = .nan
        try movement.restore(state)
        #expect(throws: ScoreError.self) { try bench.train(steps: 1, extensions: [movement]) }
    }

    /// A price that outweighs the loss closes everything, one that is nothing leaves all open.
    @Test func softMovementsScoresFallUnderAPrice() throws {
        func mean(_ penalty: Double) throws -> Double {
            let bench = try Bench()
            let context = try bench.context("macs=0.5", steps: 30)
            var configuration = SoftMovement.Configuration()
            configuration.penalty = penalty
            configuration.learningRate = 0.2
            var pruner = SoftMovement(configuration, seed: 1)
            let masks = try #require(pruner.extensions(in: context)[0] as? LearnedMasks)
            defer { masks.detach() }
            try bench.train(steps: 15, extensions: [masks])
            let all = masks.scores.flatMap { $0 }
            return all.reduce(0, +) / Double(all.count)
        }
        let (cheap, dear) = (try mean(1e-6), try mean(100))
        #expect(dear < 0.5 && cheap > 1, "\(cheap), \(dear)")
    }

    // MARK: scaling factors

    /// The mean of |γ| over the normalisations that see a channel, and the average of all where none does.
    @Test func scoresAreTheScalesOfNormalisations() throws {
        let bench = try Bench()
        let space = bench.space(.channels)
        for (number, norm) in bench.model.normalizations.enumerated() {
            for channel in 0..<norm.gamma.count {
                norm.gamma.variable.value.pointer[channel] = Float(number + 1) * (channel % 2 == 0 ? -0.1 : 0.2)
            }
        }
        let scores = ScalePrices(space, bench.model.normalizations, penalty: 0).scores
        for (group, own) in zip(space.groups, scores) {
            let seen = bench.model.normalizations.filter { norm in
                norm.axis.groups.contains { $0 === group.axis }
            }
            guard seen.count == 1, seen[0].axis.groups.count == 1 else { continue }
            let scale = seen[0].gamma.variable.value.array.map { Double(abs($0)) }
            #expect(own == scale, "\(group.name)")
        }
        #expect(scores.joined().allSatisfy { $0 > 0 })
    }

    @Test func aPriceShrinksScales() throws {
        func sum(_ penalty: Double) throws -> Float {
            let bench = try Bench()
            var configuration = ScalingFactors.Configuration()
            configuration.penalty = penalty
            var pruner = ScalingFactors(configuration, seed: 1)
            try bench.train(steps: 5, extensions: pruner.extensions(in: bench.context("macs=0.5")))
            return bench.model.normalizations.flatMap { $0.gamma.variable.value.array }.reduce(0) { $0 + abs($1) }
        }
        let (free, priced) = (try sum(0), try sum(1))
        // Five steps of 0.01 by SGD with momentum, for each of all scales.
        #expect(priced < free - 1, "\(free), \(priced)")
    }
}
