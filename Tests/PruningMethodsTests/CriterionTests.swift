import Pruning
import PruningMethods
import TensorCore
import Testing

/// The criteria's formulas, written out again over the collected evidence.
@Suite struct CriterionTests {
    private func scores<C: ImportanceCriterion>(_ criterion: C, _ bench: Bench) throws -> [[Double]] {
        try criterion.scores(masks: MaskSet(keepingAllOf: bench.groups), from: bench.collector())
    }

    private func expectClose(_ a: [[Double]], _ b: [[Double]], sourceLocation: SourceLocation = #_sourceLocation) {
        let scale = b.joined().reduce(0) { max($0, abs($1)) }
        let worst = zip(a.joined(), b.joined()).reduce(0) { max($0, abs($1.0 - $1.1)) }
        #expect(a.map(\.count) == b.map(\.count) && worst <= 1e-9 * scale, sourceLocation: sourceLocation)
    }

    private func sums(_ bench: Bench, _ element: @escaping (Float, Float) -> Double, with other: Tensor) -> [[Double]] {
        bench.groups.map { group in
            group.channelSums { index in
                let w = bench.arena.slice(bench.arena.values, index).array
                let o = bench.arena.slice(other, index).array
                return { element(w[$0], o[$0]) }
            }
        }
    }

    @Test(arguments: [1, 2]) func magnitudeIsTheNormOverTheGroupsMean(norm: Int) throws {
        let bench = try Bench()
        var configuration = Magnitude.Configuration()
        configuration.norm = norm
        let norms = sums(
            bench, { w, _ in norm == 1 ? Double(abs(w)) : Double(w) * Double(w) }, with: bench.arena.values
        )
        .map { $0.map { norm == 1 ? $0 : $0.squareRoot() } }
        let expected = norms.map { group in group.map { $0 * Double(group.count) / group.reduce(0, +) } }
        expectClose(try scores(Magnitude(configuration, seed: 1), bench), expected)
    }

    /// The absolute value is inside the sum over batches.
    @Test func taylorIsTheSizeOfEachBatchsGateGradient() throws {
        let bench = try Bench()
        let evidence = try bench.collector().gradients(masks: MaskSet(keepingAllOf: bench.groups))
        #expect(evidence.gatesOfBatches.count == bench.batchCount && bench.batchCount > 1)
        var expected = evidence.gates.map { $0.map { _ in 0.0 } }
        for batch in evidence.gatesOfBatches {
            for (group, gates) in batch.enumerated() {
                for (channel, slope) in gates.enumerated() { expected[group][channel] += abs(slope) }
            }
        }
        expectClose(try scores(Taylor(NoConfiguration(), seed: 1), bench), expected)
        // Somewhere slopes of different batches cancel.
        #expect(zip(expected, evidence.gates).contains { zip($0, $1).contains { $0 > 1.5 * abs($1) } })
    }

    /// The sum over timesteps is inside the absolute value, the sum over weights outside.
    @Test func diffPruningSumsGradientsWhileTheirLossMatters() throws {
        let bench = try Bench()
        let losses = try (0..<bench.stageCount).map { Double(try bench.loss(stage: $0).value.scalar) }
        for threshold in [0, 0.05, 0.999] {
            var configuration = DiffPruning.Configuration()
            configuration.threshold = threshold
            var (used, largest) = (0, 0.0)
            for loss in losses {
                largest = max(largest, loss)
                if loss < threshold * largest { break }
                used += 1
            }
            bench.arena.clearGradients()
            for stage in 0..<used { try bench.loss(stage: stage).backward() }
            bench.arena.completeGradients()
            let expected = sums(bench, { Double(abs($0 * $1)) }, with: bench.arena.gradients.copied())
            expectClose(try scores(DiffPruning(configuration, seed: 1), bench), expected)
            #expect(threshold < 0.9 ? used == bench.stageCount : (1..<bench.stageCount).contains(used))
        }
    }

    @Test func randomScoresAreTheSeeds() throws {
        let bench = try Bench()
        let one = try scores(RandomScores(NoConfiguration(), seed: 1), bench)
        #expect(try scores(RandomScores(NoConfiguration(), seed: 1), bench) == one)
        #expect(try scores(RandomScores(NoConfiguration(), seed: 2), bench) != one)
        #expect(one.joined().allSatisfy { $0 > 0 && $0 < 1 })
    }

    /// Read as published, one-shot removes the channels whose removal raises the gradient norm most: those of the
    /// lowest velocity, per unit of cost.
    @Test func oneShotRemovesTheLowestVelocities() throws {
        let bench = try Bench()
        let velocity = try bench.collector().curvature(masks: MaskSet(keepingAllOf: bench.groups)).velocity
        let context = try bench.context(Budget(.sparsity, 0.3))
        var published = OneShot.Configuration()
        published.energy = .gradientNorm
        published.reading = .signed
        let masks = try bench.run(OneShot(published, seed: 1), in: context).masks
        #expect(
            masks == (try context.selection.masks(keeping: velocity, remaining: context.remaining, perCost: true)))
    }

    /// With more rounds than channels to remove, some rounds have nothing to do; they must not bring anything back.
    @Test(arguments: ["magnitude", "taylor", "random", "vanilla-iterative"])
    func whatHardMasksRemovedStaysAway(name: String) throws {
        let method = try MethodCatalog.entry(named: name)
        func check<P: Pruner>(_ pruner: P) throws {
            let bench = try Bench()
            let context = try bench.context(Budget(.macs, 0.6))
            var pruner = pruner
            var masks = MaskSet(keepingAllOf: bench.groups)
            for index in 0..<pruner.updates {
                let before = masks
                let report = try pruner.update(&masks, index: index, in: context)
                #expect(report.recovered == 0, "update \(index)")
                for (a, b) in zip(before.values.joined(), masks.values.joined()) { #expect(b <= a, "update \(index)") }
                try bench.tune(masks)
            }
        }
        try check(method.pruner(rounds: 150))
    }
}
