import Files
import Foundation
import Layers
import Pruning
import TensorCore
import Testing
import Training

@testable import PruningMethods

/// Masks under a pressure, on a network.
@Suite struct HyperflowsTests {
    private func configuration(
        _ change: (inout HyperflowsConfiguration) -> Void = { _ in }
    ) -> HyperflowsConfiguration {
        var configuration = HyperflowsConfiguration()
        change(&configuration)
        return configuration
    }

    /// Of single weights, with a number of soft steps.
    private func masks(
        _ bench: Bench, _ configuration: HyperflowsConfiguration, softSteps: Int = 20, seed: UInt64 = 1,
        target: String = "sparsity=0.8", granularity: Granularity = .weight
    ) throws -> HyperflowMasks {
        HyperflowMasks(
            in: try bench.context(target, granularity, steps: 2 * softSteps), configuration, seed: seed)
    }

    private func thresholds(_ masks: HyperflowMasks) -> [Float] {
        masks.parameterGroups[0].parameters.flatMap { $0.variable.value.array }
    }

    private func set(_ masks: HyperflowMasks, _ value: (Int) -> Float) {
        var index = 0
        for parameter in masks.parameterGroups[0].parameters {
            for element in 0..<parameter.count {
                parameter.variable.value.pointer[element] = value(index)
                index += 1
            }
        }
    }

    // MARK: what is learned

    @Test func thresholdsStartBetweenAFifthAndAHalf() throws {
        let bench = try Bench()
        func drawn(_ seed: UInt64) throws -> [Float] {
            let masks = try masks(bench, configuration(), seed: seed)
            defer { masks.detach() }
            return thresholds(masks)
        }
        let values = try drawn(1)
        #expect(values.count == bench.space(.weights).count)
        #expect(values.allSatisfy { $0 >= 0.2 && $0 <= 0.5 })
        let mean = values.reduce(0.0) { $0 + Double($1) } / Double(values.count)
        #expect(abs(mean - 0.35) < 0.01)
        #expect(try drawn(1) == values && drawn(2) != values)
    }

    /// One gradient: a quarter of the mask's, and of the pressure each coordinate's share.
    @Test(arguments: [("sparsity=0.5", Granularity.weight), ("params=0.5", .channel)])
    func gradientsAreAQuarterOfTheMasksAndThePressure(target: String, granularity: Granularity) throws {
        let (bench, pressure) = (try Bench(), 0.3)
        let space = bench.space(granularity.space)
        let context = try bench.context(target, granularity, steps: 40)
        let ofMasks = try maskGradients(bench, space)
        bench.arena.clearGradients()
        let masks = HyperflowMasks(in: context, configuration { $0.constantPressure = pressure }, seed: 1)
        defer { masks.detach() }
        let recorder = Recorder(masks)
        try bench.train(steps: 1, extensions: [masks, recorder])
        let costs = zip(context.coordinateCosts, space.widths).flatMap { Array(repeating: $0, count: $1) }
        #expect(abs(costs.reduce(0.0) { $0 + Double($1) } - 1) < 1e-4)
        let scale = ofMasks.map { abs($0) }.max() ?? 0
        for index in ofMasks.indices {
            let expected = 0.25 * ofMasks[index] + Float(pressure) * costs[index]
            #expect(abs(recorder.gradients[index] - expected) <= 1e-5 * scale, "\(index)")
        }
    }

    /// ∂L/∂m of every coordinate, all masks being 1, of the batch that training sees.
    private func maskGradients(_ bench: Bench, _ space: PruningSpace) throws -> [Float] {
        let leaves = space.shapes.map { Variable(Tensor(ones: $0), requiresGradient: true) }
        for (leaf, site) in zip(leaves, space.sites) {
            switch site {
            case .axis(let group): group.axis.gating = LeafGate(leaf)
            case .weight(let parameter, _): parameter.reparameterization = LeafGate(leaf)
            }
        }
        try bench.loss(batch: 0).backward()
        for site in space.sites {
            switch site {
            case .axis(let group): group.axis.gating = nil
            case .weight(let parameter, _): parameter.reparameterization = nil
            }
        }
        return try leaves.flatMap { try #require($0.gradient).array }
    }

    private final class Recorder: TrainingExtension {
        let name = "recorder"
        let masks: HyperflowMasks
        var gradients: [Float] = []
        init(_ masks: HyperflowMasks) { self.masks = masks }
        func afterBackward(step: Int, optimizer: Optimizer) {
            gradients = masks.parameterGroups[0].parameters.flatMap { parameter in
                parameter.variable.gradient?.array ?? Array(repeating: 0, count: parameter.count)
            }
        }
    }

    // MARK: regrowth

    /// A pruned weight's t rises if and only if 0.25·(−w·∂L/∂w) at the pruned network is more than γ_eff/N. The
    /// derivative is that of a network whose pruned weights are zeros, by a plain backward pass.
    @Test func aPrunedWeightRegrowsIfItsFlowIsMoreThanThePressure() throws {
        let bench = try Bench()
        let (space, arena) = (bench.space(.weights), bench.arena)
        let weights = space.values(of: arena.values, in: arena)
        func isPruned(_ index: Int) -> Bool { index % 3 == 0 }
        // The oracle.
        let whole = arena.values.copied()
        Masks(space, (0..<space.count).map { isPruned($0) ? 0 : 1 }).bake(into: arena)
        arena.clearGradients()
        try bench.loss(batch: 0).backward()
        arena.completeGradients()
        let slopes = space.values(of: arena.gradients, in: arena)
        arena.values.assign(whole)
        arena.clearGradients()
        let flows = zip(weights, slopes).map { -0.25 * Double($0) * Double($1) }
        // A pressure that part of them hold against.
        let pruned = flows.indices.filter(isPruned)
        let rising = pruned.map { flows[$0] }.filter { $0 > 0 }.sorted()
        let pressure = rising[rising.count / 2]

        let masks = try masks(bench, configuration { $0.constantPressure = pressure * Double(space.count) })
        defer { masks.detach() }
        set(masks) { isPruned($0) ? -1e-3 : 9 }
        try bench.train(steps: 1, extensions: [masks])
        let moved = thresholds(masks)
        var (regrown, gone) = (0, 0)
        for index in pruned where abs(flows[index] - pressure) > 1e-3 * pressure {
            let rises = moved[index] > -1e-3
            #expect(rises == (flows[index] > pressure), "\(index): \(flows[index]) against \(pressure)")
            regrown += rises ? 1 : 0
            gone += rises ? 0 : 1
        }
        #expect(regrown > 100 && gone > 100, "\(regrown), \(gone)")
        // And what rises far enough is there again.
        let now = masks.masks.values
        #expect(zip(now, moved).allSatisfy { $0 == ($1 >= 0 ? 1 : 0) } && now.contains { $0 == 1 })
        #expect(pruned.contains { now[$0] == 1 })
    }

    /// What is pruned keeps what it left with, against momentum and decay.
    @Test(arguments: [("sparsity=0.5", Granularity.weight), ("macs=0.5", .channel)])
    func whatIsPrunedStaysAsItLeft(target: String, granularity: Granularity) throws {
        let bench = try Bench()
        let space = bench.space(granularity.space)
        let masks = try masks(
            bench, configuration { $0.constantPressure = 1e-6 }, target: target, granularity: granularity)
        defer { masks.detach() }
        // Two steps that fill the momentum, then half is pruned.
        try bench.train(steps: 2, extensions: [masks])
        set(masks) { $0 % 2 == 0 ? -9 : 9 }
        let before = bench.arena.values.copied()
        try bench.train(steps: 2, extensions: [masks])
        let changes = zip(bench.arena.values.array, before.array).map { $0 != $1 }
        let pruned = Set(
            space.sites.indices.flatMap { site -> [Int] in
                let flags = Tensor(zeros: [bench.arena.count])
                let ones = Tensor(ones: [bench.arena.count])
                let mask = masks.masks[site]
                switch space.sites[site] {
                case .weight(_, let index):
                    let start = bench.arena.ranges[index].lowerBound
                    return mask.indices.filter { mask[$0] == 0 }.map { start + $0 }
                case .axis(let group):
                    for channel in mask.indices where mask[channel] == 0 {
                        group.copyWeights(of: channel, from: ones, to: flags, in: bench.arena)
                    }
                    return flags.array.indices.filter { flags.array[$0] == 1 }
                }
            })
        #expect(pruned.count > 200)
        #expect(pruned.allSatisfy { !changes[$0] })
        #expect(changes.contains(true))
    }

    // MARK: epochs

    @Test func ratesOfRegrowthDecayFromEpochToEpoch() throws {
        let bench = try Bench()
        let masks = try masks(
            bench,
            configuration {
                ($0.epochs, $0.regrowthEpochs, $0.regrowthRate) = (3, 2, 2)
            }, softSteps: 10)
        defer { masks.detach() }
        let group = masks.parameterGroups[0]
        #expect(abs(group.learningRate - 0.391 / 2) < 1e-12)
        #expect([0, 5, 6, 7, 8, 9].map { group.factor($0) } == [1, 1, 2, 2, 1.5, 1.5])
        #expect(group.optimizer.kind == .adam && group.optimizer.weightDecay == 0)
    }

    /// No pressure in regrowth, nor in the first epoch of pruning.
    @Test func pressureActsInPruningAlone() throws {
        let bench = try Bench()
        let context = try bench.context("sparsity=0.8", .weight, steps: 16)
        var pruner = Hyperflows(configuration { ($0.epochs, $0.regrowthEpochs) = (3, 1) }, seed: 1)
        let masks = try #require(pruner.extensions(in: context)[0] as? HyperflowMasks)
        defer { masks.detach() }
        var current = Masks(context.space)
        func hasPressure(_ step: Int) -> Bool { masks.regularizer(step: step) != nil }
        #expect(!hasPressure(0))
        let reports = try (0..<4).map { number -> PressureReport in
            let report = try pruner.update(&current, number: number, in: context)
            #expect(hasPressure(2 * number + 2) == (number < 2), "\(number)")
            return try #require(report.pressure)
        }
        #expect(reports.map(\.epoch) == [1, 2, 3, 4])
        #expect(reports.map(\.stage) == [.pruning, .pruning, .pruning, .regrowth])
        #expect(zip(reports.map(\.pressure), [0, 0.05, 0.1125, 0]).allSatisfy { abs($0 - $1) < 1e-12 })
        #expect(reports.map(\.remaining) == [1, 1, 1, 1])
        let wanted = PressureTrajectory(epochs: 3, target: context.remaining)
        #expect(reports.map(\.wanted) == [1, 2, 3].map { wanted.remaining(after: $0) } + [nil])
        #expect(reports.allSatisfy { $0.pruned == 0 && $0.prunedFlow == nil })
    }

    /// By itself, before it is cut to the budget.
    @Test func theSchedulerLandsOnTheTarget() throws {
        let bench = try Bench()
        let context = try bench.context("sparsity=0.8", .weight, steps: 400)
        let outcome = try bench.run(Hyperflows(configuration(), seed: 1), in: context)
        let landed = try #require(outcome.reports[39].pressure)
        #expect(landed.epoch == 40 && landed.stage == .pruning)
        #expect(abs(landed.remaining - context.remaining) < 0.05, "\(landed)")
        #expect(outcome.reports.contains { $0.recovered > 0 })
        let reports = outcome.reports.compactMap(\.pressure)
        #expect(reports.count == 50 && reports.allSatisfy { ($0.liveFlow ?? 0) > 0 })
        for (report, masks) in zip(reports, outcome.history) {
            #expect(report.pruned == masks.values.count { $0 == 0 })
            #expect(abs(report.prunedShare - Double(report.pruned) / Double(masks.values.count)) < 1e-12)
        }
    }

    @Test func withoutSoftStepsThereIsNothingToLearn() throws {
        let bench = try Bench()
        let context = try bench.context("sparsity=0.8", .weight, steps: 0)
        #expect(throws: HyperflowsError.self) {
            _ = try bench.run(Hyperflows(configuration(), seed: 1), in: context)
        }
    }

    @Test func statesOfSomethingElseAreRefused() throws {
        let bench = try Bench()
        let masks = try masks(bench, configuration())
        defer { masks.detach() }
        try masks.restore(masks.state)
        #expect(throws: PrunerStateError.self) { try masks.restore(ExtensionState()) }
        var state = masks.state
        state.values["scheduler"] = ["pressure": "high"]
        #expect(throws: PrunerStateError.self) { try masks.restore(state) }
    }

    /// The first limit's own share; with several limits that of the one that is behind, in step with the first.
    @Test func severalLimitsCountByTheOneThatIsBehind() throws {
        let bench = try Bench()
        let space = bench.space(.channels)
        var masks = Masks(space)
        for index in stride(from: 0, to: space.count, by: 2) { masks.values[index] = 0 }
        let macs = try bench.context("macs=0.5").selection
        #expect(abs(macs.remaining(of: masks) - macs.density(of: masks)) < 1e-12)
        let both = try bench.context("macs=0.5,params=0.2").selection
        let params = try bench.context("params=0.2").selection.density(of: masks)
        let expected = max(macs.density(of: masks), 1 - (1 - params) * 0.5 / 0.8)
        #expect(abs(both.remaining(of: masks) - expected) < 1e-12)
        #expect(both.remaining(of: Masks(space)) == 1)
    }
}
