import Layers
import Pruning
import PruningMethods
import TensorCore
import Testing

/// The criteria's formulas, written out again over the collected evidence: by loops over elements and their indices.
@Suite struct CriterionTests {
    private func scores<C: ImportanceCriterion>(
        _ criterion: C, _ bench: Bench, _ space: PruningSpace.Kind = .channels
    ) throws -> Scores {
        try criterion.scores(at: Masks(bench.space(space)), from: bench.evidence(declared: C.needs))
    }

    /// - Parameter tolerance: relative to the largest score.
    private func expectClose(
        _ a: Scores, _ b: [Double], tolerance: Double = 1e-9, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let scale = b.reduce(0) { max($0, abs($1)) }
        let worst = zip(a.values, b).reduce(0) { max($0, abs($1.0 - $1.1)) }
        #expect(
            a.values.count == b.count && scale > 0 && worst <= tolerance * scale, "\(worst / scale)",
            sourceLocation: sourceLocation)
    }

    /// For each channel of each prunable axis the sum of `quantity(place in the arena)` over all elements that one of
    /// their indices puts on it.
    private func sums(_ bench: Bench, _ quantity: (Int) -> Double) -> [[Double]] {
        let axes = bench.model.channelGroups.filter(\.isPrunable)
        var numbers: [ObjectIdentifier: Int] = [:]
        for (number, axis) in axes.enumerated() { numbers[ObjectIdentifier(axis)] = number }
        var sums = axes.map { [Double](repeating: 0, count: $0.width) }
        for (parameter, range) in zip(bench.arena.parameters, bench.arena.ranges) {
            let shape = parameter.variable.shape
            for (element, place) in range.enumerated() {
                let value = quantity(place)
                var rest = element
                for dimension in shape.indices.reversed() {
                    var position = rest % shape[dimension]
                    rest /= shape[dimension]
                    // Concatenated axes lie one behind the other.
                    for axis in parameter.axes[dimension]?.groups ?? [] {
                        if (0..<axis.width).contains(position), let number = numbers[ObjectIdentifier(axis)] {
                            sums[number][position] += value
                        }
                        position -= axis.width
                    }
                }
            }
        }
        return sums
    }

    /// `quantity(place in the arena)` of every weight of a convolution or a linear layer.
    private func elements(_ bench: Bench, _ quantity: (Int) -> Double) -> [Double] {
        zip(bench.arena.parameters, bench.arena.ranges).flatMap { parameter, range in
            parameter.layout == .plain ? [] : range.map(quantity)
        }
    }

    // MARK: magnitude

    @Test(arguments: [1, 2]) func magnitudeIsTheNormOverTheAxissMean(norm: Int) throws {
        let bench = try Bench()
        var configuration = Magnitude.Configuration()
        configuration.norm = norm
        let w = bench.arena.values.array.map(Double.init)
        let norms = sums(bench) { norm == 1 ? abs(w[$0]) : w[$0] * w[$0] }
            .map { $0.map { norm == 1 ? $0 : $0.squareRoot() } }
        let expected = norms.flatMap { axis in axis.map { $0 * Double(axis.count) / axis.reduce(0, +) } }
        // Squares are taken in float32.
        expectClose(try scores(Magnitude(configuration, seed: 1), bench), expected, tolerance: 1e-6)
        // Of a single weight, whatever the norm.
        expectClose(
            try scores(Magnitude(configuration, seed: 1), bench, .weights), elements(bench) { abs(w[$0]) })
    }

    // MARK: gradients

    /// ∂L_b/∂w of each batch's part of the loss, flat.
    private func gradientsOfBatches(_ bench: Bench) throws -> [[Double]] {
        try (0..<bench.batchCount).map { batch in
            bench.arena.clearGradients()
            try bench.loss(batch: batch).scaled(by: 1 / Float(bench.batchCount)).backward()
            bench.arena.completeGradients()
            return bench.arena.gradients.array.map(Double.init)
        }
    }

    /// The absolute value is inside the sum over batches.
    @Test func taylorIsTheSizeOfEachBatchsMaskGradient() throws {
        let bench = try Bench()
        let masks = Masks(bench.space(.channels))
        let parts = try bench.evidence()(Gradients(), at: masks).masks.parts
        #expect(parts.count == bench.batchCount && bench.batchCount > 1)
        let signed = masks.values.indices.map { index in parts.reduce(0) { $0 + Double($1[index]) } }
        let expected = masks.values.indices.map { index in parts.reduce(0) { $0 + abs(Double($1[index])) } }
        expectClose(try scores(Taylor(Taylor.Configuration(), seed: 1), bench), expected)
        // Somewhere slopes of different batches cancel.
        #expect(zip(expected, signed).contains { $0 > 1.5 * abs($1) })
    }

    @Test func taylorOfAWeightIsTheSizeOfItsProductWithEachBatchsGradient() throws {
        let bench = try Bench()
        let gradients = try gradientsOfBatches(bench)
        let w = bench.arena.values.array.map(Double.init)
        let expected = elements(bench) { place in gradients.reduce(0) { $0 + abs(w[place] * $1[place]) } }
        // Products of masked weights are taken in float32.
        expectClose(try scores(Taylor(Taylor.Configuration(), seed: 1), bench, .weights), expected, tolerance: 1e-6)
    }

    @Test func taylorsSizeFormAddsUpWhatEachWeightChanges() throws {
        let bench = try Bench()
        let gradients = try gradientsOfBatches(bench)
        let w = bench.arena.values.array.map(Double.init)
        var configuration = Taylor.Configuration()
        configuration.form = .size
        let taylor = Taylor(configuration, seed: 1)
        func size(_ place: Int) -> Double { abs(w[place] * gradients.reduce(0) { $0 + $1[place] }) }
        expectClose(try scores(taylor, bench), sums(bench, size).flatMap { $0 }, tolerance: 1e-6)
        expectClose(try scores(taylor, bench, .weights), elements(bench, size), tolerance: 1e-6)
    }

    /// The absolute value is outside the sum over batches.
    @Test func snipIsTheSizeOfTheProductWithTheMeanGradient() throws {
        let bench = try Bench()
        let gradients = try gradientsOfBatches(bench)
        let w = bench.arena.values.array.map(Double.init)
        let expected = elements(bench) { place in abs(w[place] * gradients.reduce(0) { $0 + $1[place] }) }
        expectClose(try scores(Snip(NoConfiguration(), seed: 1), bench, .weights), expected, tolerance: 1e-6)
        let masks = try bench.evidence()(Gradients(), at: Masks(bench.space(.channels))).masks
        expectClose(
            try scores(Snip(NoConfiguration(), seed: 1), bench),
            masks.parts[0].indices.map { index in abs(masks.parts.reduce(0) { $0 + Double($1[index]) }) })
    }

    @Test func fisherIsHalfTheMeanSquareOfSamplesGradientsTimesTheWeightsSquare() throws {
        let bench = try Bench()
        let gradients = try (0..<bench.sampleCount).map { sample in
            bench.arena.clearGradients()
            try bench.loss(sample: sample).backward()
            bench.arena.completeGradients()
            return bench.arena.gradients.array.map(Double.init)
        }
        let w = bench.arena.values.array.map(Double.init)
        let expected = elements(bench) { place in
            let squares = gradients.reduce(0) { $0 + $1[place] * $1[place] } / Double(gradients.count)
            return 0.5 * squares * w[place] * w[place]
        }
        expectClose(try scores(Fisher(NoConfiguration(), seed: 1), bench, .weights), expected, tolerance: 1e-6)
    }

    /// Of a channel the sum over its weights is squared: by the gate's slope, taken apart sample by sample.
    @Test func fisherOfAChannelIsHalfTheMeanSquareOfSamplesMaskGradients() throws {
        let bench = try Bench()
        let single = (0..<bench.sampleCount).map { OneSample(bench, $0) }
        let slopes = try single.map { source in
            let evidence = EvidenceSource(network: bench.model, arena: bench.arena, calibration: source)
            return try evidence(Gradients(), at: Masks(bench.space(.channels))).masks.parts[0].map(Double.init)
        }
        let expected = slopes[0].indices.map { index in
            0.5 * slopes.reduce(0) { $0 + $1[index] * $1[index] } / Double(slopes.count)
        }
        expectClose(try scores(Fisher(NoConfiguration(), seed: 1), bench), expected, tolerance: 1e-6)
    }

    /// The sum over timesteps is inside the absolute value, the sum over weights outside.
    @Test func diffPruningSumsGradientsWhileTheirLossMatters() throws {
        let bench = try Bench()
        let losses = try (0..<bench.stageCount).map { Double(try bench.loss(stage: $0).value.scalar) }
        let w = bench.arena.values.array
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
            let gradient = bench.arena.gradients.array
            let criterion = DiffPruning(configuration, seed: 1)
            let expected = sums(bench) { Double(abs(w[$0] * gradient[$0])) }.flatMap { $0 }
            expectClose(try scores(criterion, bench), expected)
            expectClose(
                try scores(criterion, bench, .weights), elements(bench) { Double(abs(w[$0] * gradient[$0])) })
            #expect(threshold < 0.9 ? used == bench.stageCount : (1..<bench.stageCount).contains(used))
        }
    }

    // MARK: curvature

    /// Weights whose removal raises the gradient norm leave first: −S = w·(H·g).
    @Test func graspIsTheWeightTimesTheProductOfHessianAndGradient() throws {
        let bench = try Bench()
        let products = try bench.evidence()(Curvature(), at: Masks(bench.space(.weights))).hessianGradient.array
        let w = bench.arena.values.array
        expectClose(
            try scores(Grasp(NoConfiguration(), seed: 1), bench, .weights),
            elements(bench) { Double(w[$0]) * Double(products[$0]) }, tolerance: 1e-6)
        expectClose(
            try scores(Grasp(NoConfiguration(), seed: 1), bench),
            sums(bench) { Double(w[$0]) * Double(products[$0]) }.flatMap { $0 }, tolerance: 1e-5)
    }

    @Test func optimalBrainDamageIsHalfTheCurvatureTimesTheWeightsSquare() throws {
        let bench = try Bench()
        var configuration = OptimalBrainDamage.Configuration()
        configuration.probes = 3
        let diagonal = try bench.evidence()(HessianDiagonal(probes: 3, seed: 4), at: Masks(bench.space(.weights))).array
        let w = bench.arena.values.array
        expectClose(
            try scores(OptimalBrainDamage(configuration, seed: 4), bench, .weights),
            elements(bench) { 0.5 * Double(diagonal[$0]) * Double(w[$0]) * Double(w[$0]) }, tolerance: 1e-6)
        expectClose(
            try scores(OptimalBrainDamage(configuration, seed: 4), bench),
            sums(bench) { 0.5 * Double(diagonal[$0]) * Double(w[$0]) * Double(w[$0]) }.flatMap { $0 }, tolerance: 1e-5)
    }

    /// e = −∂L/∂m + 2η·(velocity of −½‖g‖²), η in Cauchy steps, read by its size in each part or as it is.
    @Test(arguments: [PruningSpace.Kind.channels, .weights], VelocitySign.allCases)
    func theEnergysSlopesAreThoseWrittenDown(space: PruningSpace.Kind, reading: VelocitySign) throws {
        let bench = try Bench()
        let curvature = try bench.evidence()(Curvature(), at: Masks(bench.space(space)))
        let step = curvature.squaredNorm / curvature.curvatureAlongGradient
        try #require(curvature.curvatureAlongGradient > 0)
        func expected(_ slope: (_ velocity: Double, _ gradient: Double) -> Double) -> [Double] {
            (0..<bench.space(space).count).map { index in
                zip(curvature.velocities.parts, curvature.gradient.masks.parts).reduce(0) { sum, parts in
                    let slope = slope(Double(parts.0[index]), Double(parts.1[index]))
                    return sum + (reading == .magnitude ? abs(slope) : slope)
                }
            }
        }
        var configuration = EnergyCriterion.Configuration()
        configuration.reading = reading
        configuration.lookAhead = 0.7
        expectClose(
            try scores(EnergyCriterion(configuration), bench, space), expected { 2 * 0.7 * step * $0 - $1 })
        configuration.energy = .gradientNorm
        expectClose(try scores(EnergyCriterion(configuration), bench, space), expected { velocity, _ in velocity })
    }

    // MARK: control

    @Test(arguments: [PruningSpace.Kind.channels, .weights]) func randomScoresAreTheSeeds(space: PruningSpace.Kind)
        throws
    {
        let bench = try Bench()
        let one = try scores(RandomScores(NoConfiguration(), seed: 1), bench, space).values
        #expect(try scores(RandomScores(NoConfiguration(), seed: 1), bench, space).values == one)
        #expect(try scores(RandomScores(NoConfiguration(), seed: 2), bench, space).values != one)
        #expect(one.allSatisfy { $0 >= 0 && $0 < 1 })
        let mean = one.reduce(0, +) / Double(one.count)
        // Five standard deviations of a mean of uniform numbers.
        #expect(abs(mean - 0.5) < 5 / (12 * Double(one.count)).squareRoot())
    }

    // MARK: what methods make of scores

    /// Read as published, one-shot removes the channels whose removal raises the gradient norm most: those of the
    /// lowest velocity, per unit of cost.
    @Test func oneShotRemovesTheLowestVelocities() throws {
        let bench = try Bench()
        let velocity = try bench.evidence()(Curvature(), at: Masks(bench.space(.channels))).velocities.sum()
        let context = try bench.context("sparsity=0.3")
        var published = OneShot.Configuration()
        published.energy = .gradientNorm
        published.reading = .signed
        let masks = try bench.run(OneShot(published, seed: 1), in: context).masks
        #expect(
            masks == (try context.selection.masks(keeping: velocity, remaining: context.remaining, perCost: true)))
    }

    /// With more rounds than channels to remove, some rounds have nothing to do; they must not bring anything back.
    @Test(arguments: ["magnitude", "taylor", "random", "vanilla-iterative"], ["macs=0.6", "sparsity=0.7"])
    func whatHardMasksRemovedStaysAway(name: String, target: String) throws {
        let method = try MethodCatalog.entry(named: name)
        func check<P: Pruner>(_ pruner: P) throws {
            let bench = try Bench()
            let context = try bench.context(target, target.hasPrefix("macs") ? .channel : .weight)
            var pruner = pruner
            var masks = Masks(context.space)
            for number in 0..<pruner.plan(context.timing).updates {
                let before = masks
                let report = try pruner.update(&masks, number: number, in: context)
                #expect(report.recovered == 0, "update \(number)")
                #expect(zip(before.values, masks.values).allSatisfy { $1 <= $0 }, "update \(number)")
                try bench.tune(masks)
                context.evidence.weightsChanged()
            }
        }
        try check(method.pruner(rounds: target.hasPrefix("macs") ? 150 : 12))
    }
}

/// One sample of a bench as if it were all there is.
private final class OneSample: CalibrationSource {
    private let bench: Bench
    private let sample: Int

    init(_ bench: Bench, _ sample: Int) {
        self.bench = bench
        self.sample = sample
    }

    var batchCount: Int { 1 }
    func loss(batch: Int) throws -> Variable { try bench.loss(sample: sample) }
}
