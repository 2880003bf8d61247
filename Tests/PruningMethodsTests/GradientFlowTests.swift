import Files
import Foundation
import Pruning
import PruningMethods
import Testing

@Suite struct GradientFlowTests {
    private func configuration(_ change: (inout GradientFlowConfiguration) -> Void = { _ in })
        -> GradientFlowConfiguration
    {
        var configuration = GradientFlowConfiguration()
        change(&configuration)
        return configuration
    }

    private func run(_ change: (inout GradientFlowConfiguration) -> Void = { _ in }) throws -> (Bench, Bench.Outcome) {
        let bench = try Bench()
        let pruner = GradientFlow(configuration(change), seed: 1)
        return (bench, try bench.run(pruner, in: bench.context(Budget(.macs, 0.5))))
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
        let settings = configuration(Self.variants[variant])
        let (bench, outcome) = try run(Self.variants[variant])
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
        #expect(try bench.compactionError(outcome.masks) <= 1e-5)
    }

    /// Otherwise polarising would remove at once what the weights still rely on.
    @Test func masksArriveNearlyDecided() throws {
        let (_, outcome) = try run()
        let softness = outcome.reports.map(\.softness)
        let middle = try #require(softness.max())
        #expect(middle > 0.05, "the flow was never soft")
        #expect(try #require(softness.last) < 0.05)
    }

    @Test func coarseMasksAreSharedWithinBlocks() throws {
        let bench = try Bench()
        var pruner = GradientFlow(configuration { $0.blockSize = 4 }, seed: 1)
        var masks = MaskSet(keepingAllOf: bench.groups)
        let context = try bench.context(Budget(.macs, 0.5))
        for index in 0..<4 { _ = try pruner.update(&masks, index: index, in: context) }
        #expect(!masks.isBinary)
        for mask in masks.values {
            for start in stride(from: 0, to: mask.count, by: 4) { #expect(Set(mask[start..<start + 4]).count == 1) }
        }
    }

    /// The criterion is evaluated in every K-th round only, which is what makes the coarse variant cheap.
    @Test(arguments: [(1, 6), (2, 3), (4, 2)]) func theCriterionIsEvaluatedEveryKRounds(every: Int, evaluations: Int)
        throws
    {
        let (_, outcome) = try run {
            $0.rounds = 6
            $0.evaluateEvery = every
        }
        #expect(Set(outcome.reports.compactMap(\.energy)).count == evaluations)
    }

    @Test(arguments: [
        ("lookAhead", 0), ("rounds", 0), ("rounds", 10001), ("flowSteps", 0), ("flowSteps", 10001),
        ("ratio", 0.99), ("ratio", 1001), ("arrival", 0), ("arrival", 1.01), ("polarization", -0.1),
        ("momentum", 1), ("momentum", -0.1), ("evaluateEvery", 0), ("evaluateEvery", 10001), ("blockSize", 0),
        ("blockSize", 4097),
    ])
    func boundsAreWhereTheConfigurationSays(key: String, value: Double) throws {
        let method = try MethodCatalog.entry(named: "gradient-flow")
        let values = try method.configuration(replacing: [key: .double(value)])
        #expect {
            _ = try method.make(values, 1)
        } throws: {
            $0 is PrunerConfigurationError && "\($0)".contains("'\(key)'") && "\($0)".contains("expected")
        }
    }

    @Test func settingsOfTheRankingMethodsHaveBoundsToo() throws {
        for (name, key, value) in [
            ("magnitude", "norm", 3), ("magnitude", "rounds", 10_001), ("diff-pruning", "threshold", 1),
            ("vanilla-iterative", "rounds", 0),
        ] {
            let method = try MethodCatalog.entry(named: name)
            let values = try method.configuration(replacing: [key: .int(value)])
            #expect(throws: PrunerConfigurationError.self, "\(name): \(key)") { _ = try method.make(values, 1) }
        }
    }
}
