import Classification
import Models
import Pruning
import PruningMethods
import Testing

/// What every method of the catalogue owes to a classifier whose normalisations are those of batches: that of
/// `ConformanceTests`, where the task gives what the method needs.
@Suite struct ClassifierConformanceTests {
    typealias Goal = ConformanceTests.Goal
    typealias Case = ConformanceTests.Case
    typealias ClassifierBench = MethodBench<Classification<ImageClassifier>>

    /// Nothing of a classifier falls into stages.
    private static func isPossible(_ method: MethodEntry) -> Bool {
        !method.needs.contains { $0 == StagedGradients.self }
    }

    private func context(_ a: Case, _ bench: ClassifierBench) throws -> PruningContext {
        try bench.context(a.goal.target, a.goal.granularity, for: a.method.card)
    }

    static let goals = [
        Goal(target: "macs=0.5", granularity: .channel), Goal(target: "params=0.5", granularity: .block(3), unit: 3),
        Goal(target: "macs=0.5", granularity: .aligned(multiple: 4), unit: 4),
        Goal(target: "macs=0.6", granularity: .regular(multiple: 4), unit: 4),
        Goal(target: "macs=0.8", granularity: .layer, unit: 12),
    ]

    @Test(arguments: Case.all(goals).filter { isPossible($0.method) })
    func meetsItsTargetAndCompactsToTheSameFunction(a: Case) throws {
        let bench = try ClassifierBench()
        let context = try context(a, bench)
        let outcome = try bench.run(a.method.pruner(), in: context)
        #expect(outcome.masks.isBinary && outcome.masks != Masks(context.space))
        #expect(bench.model.channelGroups.allSatisfy { $0.gating == nil }, "the method has left gates behind")
        // float32 sums in another order
        #expect(try #require(outcome.difference) <= 1e-5)
        guard a.method.card.promise == .meetsBudget else { return }
        let selection = context.selection
        for (limit, cost, full) in zip3(selection.budget.limits, selection.costs, selection.fullCosts) {
            #expect(cost.value(outcome.masks.liveWidths) <= limit.remaining * full * (1 + 1e-9))
        }
    }

    private func zip3<A, B, C>(_ a: [A], _ b: [B], _ c: [C]) -> [(A, B, C)] {
        zip(a, zip(b, c)).map { ($0, $1.0, $1.1) }
    }

    static let weightGoals = [
        Goal(target: "sparsity=0.8", granularity: .weight),
        Goal(target: "sparsity=0.5", granularity: .pattern(keep: 2, of: 4)),
    ]

    @Test(arguments: Case.all(weightGoals).filter { isPossible($0.method) })
    func hasAsManyZerosAsAsked(a: Case) throws {
        let bench = try ClassifierBench()
        let context = try context(a, bench)
        let outcome = try bench.run(a.method.pruner(), in: context)
        #expect(outcome.masks.isBinary)
        #expect(try #require(outcome.difference) == 0)
        guard a.method.card.promise == .meetsBudget, a.goal.granularity == .weight else { return }
        let kept = Int((context.remaining * Double(context.space.count) + 1e-6).rounded(.down))
        #expect(outcome.masks.values.count { $0 == 1 } == kept)
    }

    @Test(arguments: Case.each.filter { isPossible($0.method) })
    func anInterruptedRunEndsAsAnUninterruptedOneBitForBit(a: Case) throws {
        func outcome(interrupted: Bool) throws -> ClassifierBench.Outcome {
            let bench = try ClassifierBench()
            return try bench.run(
                a.method.pruner(seed: 5), in: context(a, bench), interrupted: interrupted, seed: 5)
        }
        #expect(try outcome(interrupted: true).isSame(as: outcome(interrupted: false)))
    }

    @Test(arguments: MethodCatalog.all.filter { !isPossible($0) }) func whatNeedsStagesIsRefused(method: MethodEntry)
        throws
    {
        let bench = try ClassifierBench()
        #expect {
            try bench.evidence().require(method.needs)
        } throws: {
            "\($0)".contains("this task's losses do not give")
        }
    }
}
