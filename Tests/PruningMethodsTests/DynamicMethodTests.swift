import Foundation
import Layers
import Pruning
import TensorCore
import Testing
import Training

@testable import PruningMethods

/// Methods that prune while they train, on problems with a known answer.
@Suite struct DynamicMethodTests {
    // MARK: gradual

    @Test func gradualsCurveIsZhusAndGuptas() {
        for (progress, sparsity) in [
            (0.0, 0.0), (0.1, 0.2439), (0.25, 0.52031), (0.5, 0.7875), (0.75, 0.88594), (1, 0.9),
        ] {
            #expect(abs(Gradual.sparsity(at: progress, final: 0.9) - sparsity) < 5e-6, "\(progress)")
        }
    }

    @Test func gradualUpdatesEveryFewSteps() {
        var configuration = Gradual.Configuration()
        configuration.every = 10
        configuration.begin = 5
        let timing = PlanTiming(steps: 60, softFraction: 0.5, space: .weights, remaining: 0.2)
        let plan = Gradual(configuration, seed: 1).plan(timing)
        #expect(
            plan.stages == [.train(steps: 15), .update(0), .train(steps: 10), .update(1), .train(steps: 35), .bake])
    }

    /// Every layer keeps the same share.
    @Test func gradualTakesTheSameShareOfEveryLayer() throws {
        let bench = try Bench()
        let context = try bench.context("sparsity=0.6", .weight, for: Gradual.card, steps: 40)
        let outcome = try bench.run(Gradual(Gradual.Configuration(), seed: 1), in: context)
        #expect(outcome.reports.count == 2 && outcome.reports.allSatisfy { $0.recovered == 0 })
        for (site, mask) in zip(context.space.sites, outcome.masks.bySite) {
            let left = mask.reduce(0, +)
            #expect(abs(left - 0.4 * Float(mask.count)) <= 1, "\(site.name)")
        }
    }

    // MARK: network surgery

    @Test func thresholdsLeaveTheShareThatIsAskedFor() {
        var stream = RandomStream(seed: 4, purpose: "test-surgery")
        let sizes = [1.0, 0.1].map { scale in (0..<500).map { _ in abs(Double(stream.normal())) * scale } }
        let thresholds = SurgeryMasks.thresholds(of: sizes, remaining: 0.3)
        let above = zip(sizes, thresholds).reduce(0) { sum, layer in sum + layer.0.count { $0 > layer.1 } }
        #expect(abs(above - 300) <= 1, "\(above)")
        // Each layer by its own sizes: about the same share of both.
        #expect(abs(thresholds[0] / thresholds[1] - 10) < 1.5)
    }

    /// Cut below 0.9·t, spliced back above 1.1·t, left alone between; and what is cut goes on training.
    @Test func whatIsCutTrainsAndComesBack() throws {
        let bench = try Bench()
        let context = try bench.context("sparsity=0.5", .weight)
        var configuration = NetworkSurgery.Configuration()
        configuration.power = 0
        var pruner = NetworkSurgery(configuration, seed: 1)
        let surgery = try #require(pruner.extensions(in: context)[0] as? SurgeryMasks)
        defer { surgery.detach() }
        guard case .weight(let parameter, _) = context.space.sites[0] else { return }
        let threshold = try #require(surgery.state.arrays["thresholds"])[0]
        func masks() throws -> [Float] { Array(try #require(surgery.state.arrays["masks"])[0..<parameter.count]) }
        let values = parameter.variable.value.pointer
        (values[0], values[1], values[2]) = (0.5 * threshold, 2 * threshold, 1.0 * threshold)
        surgery.prepare(step: 1)
        let first = try masks()
        #expect(first[0] == 0 && first[1] == 1)
        (values[0], values[1]) = (1.05 * threshold, 0.95 * threshold)
        surgery.prepare(step: 2)
        #expect(try masks()[0] == 0 && masks()[1] == 1 && masks()[2] == first[2])
        (values[0], values[1]) = (1.2 * threshold, 0.8 * threshold)
        surgery.prepare(step: 3)
        #expect(try masks()[0] == 1 && masks()[1] == 0)
        let before = parameter.variable.value.array
        try bench.train(steps: 1, extensions: [surgery])
        let after = parameter.variable.value.array
        let cut = try masks().indices.filter { try! masks()[$0] == 0 }
        #expect(!cut.isEmpty && cut.contains { before[$0] != after[$0] })
    }

    // MARK: soft threshold

    /// sign(w)·relu(|w| − σ(s)), and thresholds that rise by their decay alone.
    @Test func weightsAreShrunkByTheThreshold() throws {
        let bench = try Bench()
        let context = try bench.context("sparsity=0.5", .weight)
        var configuration = SoftThreshold.Configuration()
        configuration.initial = -3
        var pruner = SoftThreshold(configuration, seed: 1)
        let thresholds = try #require(pruner.extensions(in: context)[0] as? SoftThresholds)
        defer { thresholds.detach() }
        let sigma = 1 / (1 + exp(3.0))
        for site in context.space.sites {
            guard case .weight(let parameter, _) = site else { continue }
            let (plain, shrunk) = (parameter.variable.value.array, parameter.effective.value.array)
            for (w, found) in zip(plain, shrunk) {
                let size = max(Double(abs(w)) - sigma, 0)
                #expect(abs(Double(found) - (w < 0 ? -size : size)) < 1e-6)
            }
        }
        let before = thresholds.parameterGroups[0].parameters.map { $0.variable.value.scalar }
        try bench.train(steps: 5, extensions: [thresholds])
        let after = thresholds.parameterGroups[0].parameters.map { $0.variable.value.scalar }
        #expect(zip(before, after).allSatisfy { $0 < $1 })
    }

    // MARK: learning-rate rewinding

    /// The weights stay what training made of them; the plan takes back the schedule alone.
    @Test func ticketsCanKeepTheirWeights() throws {
        var configuration = Lottery.Configuration()
        configuration.rewind = .learningRate
        let timing = PlanTiming(steps: 40, softFraction: 0.5, space: .weights, remaining: 0.64)
        let stages = Lottery(configuration, seed: 1).plan(timing).stages
        #expect(stages.filter { $0 == .rewind(to: "early", weights: false) }.count == 2)

        let bench = try Bench()
        let early = bench.arena.values.array
        configuration.early = 0
        var context = try bench.context("sparsity=0.5", .weight)
        context = PruningContext(
            space: context.space, evidence: context.evidence, selection: context.selection,
            timing: PlanTiming(steps: 6, softFraction: 1, space: .weights, remaining: 0.5))
        let outcome = try bench.run(Lottery(configuration, seed: 1), in: context)
        let masks = outcome.masks.flat(in: bench.arena).array
        #expect(outcome.weights != zip(early, masks).map { $0 * $1 })
    }
}
