import Layers
import Pruning
import TensorCore
import Testing
import Training

@testable import PruningMethods

@Suite struct RigLTests {
    /// α/2·(1 + cos(π·t/T)).
    @Test func theExchangeFallsAsACosine() {
        for (progress, expected) in [(0.0, 0.3), (0.5, 0.15), (1, 0), (2, 0), (1.0 / 3, 0.225)] {
            #expect(abs(RigL.exchanged(0.3, progress: progress) - expected) < 1e-12)
        }
    }

    /// Of the active 1, 2, 4, 5, 7 two leave: the smallest, 4 and 1; of 0, 3, 6, 1, 4 two come: the steepest, 6 and 4.
    @Test func theSmallestMakeRoomForTheSteepest() {
        let sizes: [Double] = [9, 0.2, 3, 9, 0.1, 2, 9, 1]
        let slopes: [Double] = [1, 2, 99, 3, 4, 99, 5, 99]
        var masks: [Float] = [0, 1, 1, 0, 1, 1, 0, 1]
        RigL.exchange(&masks, in: 0..<8, share: 0.4, sizes: sizes, slopes: slopes)
        #expect(masks == [0, 0, 1, 0, 1, 1, 1, 1])
        // No more than are not active.
        masks = [1, 1, 1, 1, 0, 1, 1, 1]
        RigL.exchange(&masks, in: 0..<8, share: 0.9, sizes: sizes, slopes: slopes)
        #expect(masks.count { $0 == 1 } == 7)
        // Ties by position, and only within the layer.
        masks = [1, 1, 0, 0]
        RigL.exchange(&masks, in: 0..<2, share: 0.5, sizes: [1, 1, 1, 1], slopes: [1, 1, 1, 1])
        #expect(masks == [1, 1, 0, 0])
        masks = [1, 1, 0, 0]
        RigL.exchange(&masks, in: 0..<4, share: 0.5, sizes: [1, 1, 1, 1], slopes: [0, 1, 1, 1])
        #expect(masks == [0, 1, 1, 0])
    }

    @Test func updatesComeEveryFewStepsUntilTheyEnd() {
        var configuration = RigL.Configuration()
        configuration.every = 10
        configuration.until = 0.75
        let timing = PlanTiming(steps: 40, softFraction: 0.5, space: .weights, remaining: 0.1)
        #expect(
            RigL(configuration, seed: 1).plan(timing).stages == [
                .update(0), .train(steps: 10), .update(1), .train(steps: 10), .update(2), .train(steps: 20), .bake,
            ])
    }

    private func pruner() -> RigL {
        var configuration = RigL.Configuration()
        configuration.every = 2
        configuration.until = 1
        return RigL(configuration, seed: 1)
    }

    /// Layers keep their densities, and something is exchanged.
    @Test func everyLayerKeepsItsDensity() throws {
        let bench = try Bench()
        let context = try bench.context("sparsity=0.8", .weight, for: RigL.card, steps: 7)
        let outcome = try bench.run(pruner(), in: context)
        #expect(outcome.history.count == 4)
        for masks in outcome.history { #expect(masks.liveWidths == outcome.masks.liveWidths) }
        for report in outcome.reports.dropFirst() {
            #expect(report.recovered > 0 && report.recovered == report.removed && report.softness == 0)
        }
    }

    /// What comes back starts from zero, with nothing remembered of it.
    @Test func whatComesBackStartsAnew() throws {
        let bench = try Bench()
        let context = try bench.context("sparsity=0.8", .weight, for: RigL.card, steps: 7)
        var pruner = pruner()
        let extensions = pruner.extensions(in: context)
        let optimizer = Optimizer(OptimizerConfiguration(), arena: bench.arena)
        for (_, moment) in optimizer.state { moment.fill(1) }
        var masks = Masks(context.space)
        _ = try pruner.update(&masks, number: 0, in: context)
        let before = masks
        _ = try pruner.update(&masks, number: 1, in: context)
        let regrown = masks.values.indices.filter { masks.values[$0] == 1 && before.values[$0] == 0 }
        let weights = context.space.values(of: bench.arena.values, in: bench.arena)
        #expect(!regrown.isEmpty && regrown.allSatisfy { weights[$0] == 0 })

        // As often as the run is taken up again before the next step.
        let state = extensions[0].state
        var second = self.pruner()
        let again = second.extensions(in: context)
        try again[0].restore(state)
        for each in [extensions[0], again[0]] {
            for (_, moment) in optimizer.state { moment.fill(1) }
            each.afterBackward(step: 2, optimizer: optimizer)
            for (_, moment) in optimizer.state {
                let moments = context.space.values(of: moment, in: bench.arena)
                #expect(moments.indices.filter { moments[$0] == 0 } == regrown)
            }
            // Once.
            for (_, moment) in optimizer.state { moment.fill(1) }
            each.afterBackward(step: 3, optimizer: optimizer)
            #expect(optimizer.state.allSatisfy { $0.tensor.array.allSatisfy { $0 == 1 } })
        }
        for bad in [
            ["high": [0], "low": []], ["high": [-1], "low": [0]], ["high": [Float.nan], "low": [0]],
            ["high": [1e6], "low": [0]],
        ] as [[String: [Float]]] {
            #expect(throws: PrunerStateError.self) { try again[0].restore(ExtensionState(arrays: bad)) }
        }
    }
}
