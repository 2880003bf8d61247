import Configuration
import Files
import Pruning
import Testing

@testable import PruningMethods

@Suite struct GradientFlowTests {
    private func configuration(
        _ flow: GradientFlowConfiguration.Flow = .sparse, _ change: (inout GradientFlowConfiguration) -> Void = { _ in }
    ) -> GradientFlowConfiguration {
        var configuration = GradientFlowConfiguration()
        configuration.flow = flow
        change(&configuration)
        return configuration
    }

    private func run(
        _ flow: GradientFlowConfiguration.Flow = .sparse, _ change: (inout GradientFlowConfiguration) -> Void = { _ in }
    ) throws -> (Bench, Bench.Outcome) {
        let bench = try Bench()
        let pruner = GradientFlow(configuration(flow, change), seed: 1)
        return (bench, try bench.run(pruner, in: bench.context("macs=0.5", steps: 14)))
    }

    static let variants: [@Sendable (inout GradientFlowConfiguration) -> Void] = [
        { _ in },
        { $0.energy = .lookAhead },
        { $0.scaling = .none },
        { $0.blockSize = 4 },
        { $0.evaluateEvery = 3 },
        { $0.schedule = .exponential },
        { $0.ratio = 1 },
        { $0.momentum = 0 },
    ]

    /// Soft masks carry the schedule's density after every round, so that a round's budget means what it says.
    @Test(arguments: variants.indices) func theDensityFollowsItsSchedule(variant: Int) throws {
        let settings = configuration(.sparse, Self.variants[variant])
        let (_, outcome) = try run(.sparse, Self.variants[variant])
        #expect(outcome.reports.count == settings.rounds)
        for (index, report) in outcome.reports.dropLast().enumerated() {
            let progress = Double(index + 1) / Double(settings.rounds)
            let density = settings.schedule.density(at: min(1, progress / settings.arrival), final: 0.5)
            // Bisection to float32 masks; once the density has arrived, on the way to whole channels.
            let hasArrived = Double(index) / Double(settings.rounds) >= settings.arrival
            #expect(abs(report.density - density) < (hasArrived ? 0.01 : 1e-4), "round \(index)")
            #expect(report.energy != nil && report.loss != nil)
        }
        #expect(outcome.masks.isBinary)
        #expect(try #require(outcome.difference) <= 1e-5)
    }

    /// Otherwise polarising would remove at once what the weights still rely on.
    @Test func masksArriveNearlyDecided() throws {
        let (_, outcome) = try run()
        let softness = outcome.reports.map(\.softness)
        let middle = try #require(softness.max())
        #expect(middle > 0.05, "the flow was never soft")
        #expect(try #require(softness.last) < 0.05)
    }

    /// Below the widths that the budget's choice has to keep it would spend elsewhere what it then has to give back.
    @Test(arguments: [1.1, 3]) func noSiteFallsBelowWhatItHasToKeep(ratio: Double) throws {
        let bench = try Bench()
        let context = try bench.context("macs=0.4", .aligned(multiple: 4), steps: 14, minimumFraction: 0.5)
        let outcome = try bench.run(GradientFlow(configuration(.sparse) { $0.ratio = ratio }, seed: 1), in: context)
        let minimum = context.selection.partition.minimumWidths
        for (round, masks) in outcome.history.enumerated() {
            for (site, width) in masks.softWidths.enumerated() {
                #expect(width >= 0.9 * Double(minimum[site]), "round \(round), \(context.space.sites[site].name)")
            }
        }
    }

    @Test func coarseMasksAreSharedWithinBlocks() throws {
        let bench = try Bench()
        var pruner = GradientFlow(configuration(.sparse) { $0.blockSize = 4 }, seed: 1)
        var masks = Masks(bench.space(.channels))
        let context = try bench.context("macs=0.5")
        for index in 0..<4 { _ = try pruner.update(&masks, number: index, in: context) }
        #expect(!masks.isBinary)
        for mask in masks.bySite {
            for start in stride(from: 0, to: mask.count, by: 4) { #expect(Set(mask[start..<start + 4]).count == 1) }
        }
    }

    /// The criterion is evaluated in every K-th round only, which is what makes the coarse variant cheap.
    @Test(arguments: [(1, 6), (2, 3), (4, 2)]) func theCriterionIsEvaluatedEveryKRounds(every: Int, evaluations: Int)
        throws
    {
        let (_, outcome) = try run(.sparse) {
            $0.rounds = 6
            $0.evaluateEvery = every
        }
        #expect(Set(outcome.reports.compactMap(\.energy)).count == evaluations)
    }

    // MARK: towards the choice

    /// Every mask goes the same share of the way to the choice by the energy as it was just read.
    @Test(arguments: [0.3, 0.6, 1]) func masksGoTowardsWhatTheEnergyChooses(step: Double) throws {
        let bench = try Bench()
        let settings = configuration(.frankWolfe) {
            $0.step = step
            $0.momentum = 0
        }
        var pruner = GradientFlow(settings, seed: 1)
        let context = try bench.context("macs=0.4", .aligned(multiple: 4), steps: 14)
        var masks = Masks(context.space)
        for number in 0..<3 {
            let before = masks
            let report = try pruner.update(&masks, number: number, in: context)
            let criterion = EnergyCriterion(EnergyCriterion.Configuration())
            let scores = try criterion.scores(at: before, from: context.evidence)
            let density = MaskSchedule.linear.density(
                at: Double(number + 1) / Double(settings.rounds) / settings.arrival, final: 0.4)
            let chosen = try context.selection.masks(
                keeping: scores, remaining: density, perCost: true, members: pruner.members, at: before)
            for (mask, (old, target)) in zip(masks.values, zip(before.values, chosen.values)) {
                let moved = old + (target - old) * Float(step)
                #expect(mask == moved || mask == target && abs(moved - target) < GradientFlow.reach)
            }
            #expect(report.density < 1 && report.energy != nil)
        }
        #expect(masks.isBinary == (step == 1))
    }

    /// Whatever is chosen on the way, whole units are left in the end, within the budget; what left may come back.
    @Test(arguments: [0.3, 0.6, 1]) func theChoiceIsMadeInTheEnd(step: Double) throws {
        let (_, outcome) = try run(.frankWolfe) {
            $0.step = step
            $0.rounds = 9
            $0.momentum = 0
        }
        #expect(outcome.masks.isBinary && outcome.reports.count == 9)
        #expect(try #require(outcome.difference) <= 1e-5)
        #expect(outcome.reports.map(\.density).max().map { $0 < 1 } == true)
        let softness = outcome.reports.dropLast().map(\.softness)
        #expect(step < 1 ? softness.contains { $0 > 0.05 } : softness.allSatisfy { $0 == 0 })
    }

    // MARK: with every step

    private func runContinuously(
        _ target: String, _ granularity: Granularity, interrupted: Bool = false,
        _ change: (inout GradientFlowConfiguration) -> Void = { _ in }
    ) throws -> Bench.Outcome {
        let bench = try Bench()
        let settings = configuration(.continuous) {
            $0.rounds = 4
            $0.chooseEvery = 2
            change(&$0)
        }
        let context = try bench.context(target, granularity, steps: 24)
        return try bench.run(GradientFlow(settings, seed: 1), in: context, interrupted: interrupted)
    }

    /// A channel gets to zero in rounds only: between them what is computed with stays the same.
    @Test func masksOfChannelsMoveWithEveryStep() throws {
        let outcome = try runContinuously("macs=0.4", .aligned(multiple: 4)) { $0.step = 0.9 }
        #expect(outcome.moves.count == 12 && outcome.reports.count == 4)
        for (before, after) in zip(outcome.moves, outcome.moves.dropFirst()) {
            #expect(before != after)
        }
        let roundOf = { (step: Int) in outcome.history[step / 4] }
        for (step, masks) in outcome.moves.enumerated() {
            for (mask, atRound) in zip(masks.values, roundOf(step).values) { #expect((mask == 0) == (atRound == 0)) }
        }
        #expect(outcome.history[1...].contains { $0.values.contains(0) })
        #expect(outcome.masks.isBinary)
        #expect(try #require(outcome.difference) <= 1e-5)
    }

    /// Of single weights a gradient arrives at zero too, and brings some back in the midst of a round.
    @Test func singleWeightsComeBackInAnyStep() throws {
        let outcome = try runContinuously("sparsity=0.75", .weight) { $0.step = 0.95 }
        let returned = zip(outcome.moves, outcome.moves.dropFirst()).reduce(0) { sum, pair in
            sum + zip(pair.0.values, pair.1.values).count { $0 == 0 && $1 > 0 }
        }
        #expect(returned > 0)
        #expect(outcome.masks.isBinary)
        #expect(try #require(outcome.difference) == 0)
    }

    /// Without a share of training steps the choice is what rounds read; with all of it, what steps say.
    @Test func trainingStepsHaveTheirShareInTheChoice() throws {
        let outcomes = try [0, 0.5, 1].map { share in
            try runContinuously("macs=0.4", .channel) { $0.trainingShare = share }.moves.last?.values
        }
        #expect(outcomes[0] != outcomes[1] && outcomes[1] != outcomes[2])
    }

    @Test(arguments: [("macs=0.4", Granularity.channel), ("sparsity=0.75", .weight)])
    func aStepThatIsResumedMovesAlike(target: String, granularity: Granularity) throws {
        let whole = try runContinuously(target, granularity)
        #expect(try runContinuously(target, granularity, interrupted: true).isSame(as: whole))
    }

    @Test(arguments: [
        ("continuous", "trainingShare", JSONValue.int(1)), ("continuous", "chooseEvery", .int(1)),
        ("continuous", "step", .int(1)),
        ("sparse", "ratio", JSONValue.int(2)), ("sparse", "flowSteps", .int(3)), ("sparse", "polarization", .int(0)),
        ("sparse", "scaling", .string("none")), ("frank-wolfe", "step", .int(1)),
    ])
    func settingsOfTheOtherFlowAreRefused(flow: String, key: String, value: JSONValue) throws {
        let method = try MethodCatalog.entry(named: "gradient-flow")
        let other = flow != "sparse" ? "sparse" : "frank-wolfe"
        _ = try method.make(method.configuration(replacing: ["flow": .string(flow), key: value]), 1)
        let values = try method.configuration(replacing: ["flow": .string(other), key: value])
        #expect {
            _ = try method.make(values, 1)
        } throws: {
            ($0 as? SettingError)?.key == JSONValue.snakeCase(key) && "\($0)".contains("flow '\(other)'")
        }
    }

    // MARK: masks of single weights

    /// The density falls on its schedule, masks are soft on the way, and every one is decided at the end.
    @Test(arguments: [0, 3, 4, 5, 7]) func masksOfWeightsFlowToo(variant: Int) throws {
        var settings = configuration(.sparse, Self.variants[variant])
        settings.blockSize = 1
        settings.flowSteps = 5
        let bench = try Bench()
        let context = try bench.context("sparsity=0.75", .weight, steps: 14)
        let outcome = try bench.run(GradientFlow(settings, seed: 1), in: context)
        let count = Double(context.space.count)
        for (index, report) in outcome.reports.dropLast().enumerated() {
            let progress = Double(index + 1) / Double(settings.rounds)
            let density = settings.schedule.density(at: min(1, progress / settings.arrival), final: 0.25)
            // Bisection, and sums of tens of thousands of float32 masks; once there, whole weights at once.
            #expect(abs(report.density - density) < 1e-4, "round \(index)")
            let mean = outcome.history[index].values.reduce(0) { $0 + Double($1) } / count
            #expect(abs(mean - report.density) < 1e-9)
        }
        #expect(outcome.reports[1].softness > 0.05 && !outcome.history[1].isBinary)
        #expect(outcome.masks.isBinary)
        #expect(outcome.masks.values.count { $0 == 1 } == Int((0.25 * count).rounded(.down)))
        #expect(try #require(outcome.difference) == 0)
    }

    /// A weight at zero whose drive turns comes back, and is counted.
    @Test func weightsThatComeBackAreCounted() throws {
        let bench = try Bench()
        let context = try bench.context("sparsity=0.75", .weight, steps: 14)
        let settings = configuration(.sparse) {
            // Every round judges anew, and nothing finishes what it has begun.
            $0.momentum = 0
            $0.polarization = 0
            $0.flowSteps = 4
        }
        let outcome = try bench.run(GradientFlow(settings, seed: 1), in: context)
        var masks = Masks(context.space)
        var returned = 0
        for (after, report) in zip(outcome.history, outcome.reports) {
            let pairs = zip(masks.values, after.values)
            #expect(report.recovered == pairs.count { $0 == 0 && $1 > 0 })
            returned += report.recovered
            masks = after
        }
        #expect(returned > 0)
    }

    /// Weights have no neighbours that a mask could be shared with.
    @Test func blocksOfWeightsAreRefusedByTheirKey() throws {
        let bench = try Bench()
        let context = try bench.context("sparsity=0.5", .weight)
        var pruner = GradientFlow(configuration(.sparse) { $0.blockSize = 4 }, seed: 1)
        var masks = Masks(context.space)
        #expect {
            _ = try pruner.update(&masks, number: 0, in: context)
        } throws: {
            ($0 as? SettingError)?.key == "method.block_size"
        }
    }

    // MARK: its state

    @Test func aStateThatIsNotItsOwnIsRefused() throws {
        let bench = try Bench()
        let context = try bench.context("macs=0.5")
        var pruner = GradientFlow(configuration(), seed: 1)
        var masks = Masks(context.space)
        _ = try pruner.update(&masks, number: 0, in: context)
        let good = pruner.state
        #expect(good.arrays["velocity"]?.count == context.space.count)
        var fresh = GradientFlow(configuration(), seed: 1)
        try fresh.restore(good, in: context.space)
        #expect(fresh.state == good)
        for (name, change) in [
            ("velocity", nil), ("velocity", [1, 2]), ("unit_sizes", [Float.nan]), ("unit_sizes", [-1]),
            ("unit_sizes", [1e9]), ("unit_sizes", []), ("unit_members", [0.5]), ("unit_members", [1e9]),
            ("unit_members", nil),
        ] as [(String, [Float]?)] {
            var bad = good
            bad.arrays[name] = change
            #expect(throws: PrunerStateError.self, "\(name): \(change.map { "\($0)" } ?? "none")") {
                try fresh.restore(bad, in: context.space)
            }
        }
        // That of channels says nothing about weights.
        #expect(throws: PrunerStateError.self) { try fresh.restore(good, in: bench.space(.weights)) }
        #expect(fresh.state == good)
    }

    @Test func whatMovesBetweenRoundsIsCheckedToo() throws {
        let bench = try Bench()
        let context = try bench.context("macs=0.5")
        var pruner = GradientFlow(configuration(.continuous), seed: 1)
        var masks = Masks(context.space)
        _ = try pruner.update(&masks, number: 0, in: context)
        let gradients = [Float](repeating: 0.5, count: context.space.count)
        try pruner.move(&masks, by: gradients, progress: 0.1, in: context)
        let good = pruner.state
        var fresh = GradientFlow(configuration(.continuous), seed: 1)
        try fresh.restore(good, in: context.space)
        #expect(fresh.state == good)
        for (name, change) in [("training", [1]), ("choice", [1]), ("choice", nil)] as [(String, [Float]?)] {
            var bad = good
            bad.arrays[name] = change
            #expect(throws: PrunerStateError.self) { try fresh.restore(bad, in: context.space) }
        }
        var bad = good
        bad.values["steps_of_round"] = .int(-1)
        #expect(throws: PrunerStateError.self) { try fresh.restore(bad, in: context.space) }
        #expect(fresh.state == good)
    }

    // MARK: settings

    @Test(arguments: [
        ("trainingShare", -0.1), ("trainingShare", 1.1), ("chooseEvery", 0), ("chooseEvery", 10001),
        ("lookAhead", 0), ("step", 0), ("step", 1.1), ("rounds", 0), ("rounds", 10001), ("flowSteps", 0),
        ("flowSteps", 10001),
        ("ratio", 0.99), ("ratio", 1001), ("arrival", 0), ("arrival", 1.01), ("polarization", -0.1),
        ("momentum", 1), ("momentum", -0.1), ("evaluateEvery", 0), ("evaluateEvery", 10001), ("blockSize", 0),
        ("blockSize", 4097),
    ])
    func boundsAreWhereTheConfigurationSays(key: String, value: Double) throws {
        let method = try MethodCatalog.entry(named: "gradient-flow")
        let values = try method.configuration(replacing: [key: .number(value)])
        #expect {
            _ = try method.make(values, 1)
        } throws: {
            ($0 as? SettingError)?.key == JSONValue.snakeCase(key)
        }
    }

    @Test func settingsOfTheRankingMethodsHaveBoundsToo() throws {
        for (name, key, value) in [
            ("magnitude", "norm", 3), ("magnitude", "rounds", 10_001), ("diff-pruning", "threshold", 1),
            ("vanilla-iterative", "rounds", 0),
        ] as [(String, String, Double)] {
            let method = try MethodCatalog.entry(named: name)
            let values = try method.configuration(replacing: [key: .number(value)])
            #expect(throws: SettingError.self, "\(name): \(key)") { _ = try method.make(values, 1) }
        }
    }
}

extension JSONValue {
    /// A whole number as such.
    fileprivate static func number(_ value: Double) -> JSONValue {
        Int(exactly: value).map { .int($0) } ?? .double(value)
    }
}
