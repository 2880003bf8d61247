import Files
import Foundation
import Pruning
import PruningMethods
import Testing

/// What every method of the catalogue owes: one suite over all of them, so that a new method is tested by being listed.
@Suite struct ConformanceTests {
    struct Goal: Sendable, CustomTestStringConvertible {
        let target: String
        let granularity: Granularity
        /// Channels of the largest unit.
        let unit: Int
        var testDescription: String { "\(target), \(granularity)" }

        /// A group's width with its largest unit back. Regular steps leave a quarter of this bench's wide axes at most
        /// and half of its narrow ones.
        func restored(_ width: Int, of full: Int) -> Int {
            if case .regular = granularity { return min(width + max(unit, full / 2), full) }
            return min(width + unit, full)
        }
    }

    static let goals = [
        Goal(target: "macs=0.5", granularity: .channel, unit: 1),
        Goal(target: "params=0.4", granularity: .channel, unit: 1),
        Goal(target: "sparsity=0.5", granularity: .channel, unit: 1),
        Goal(target: "macs=0.7", granularity: .head, unit: 4),
        Goal(target: "params=0.5", granularity: .block(3), unit: 3),
        Goal(target: "macs=0.5", granularity: .aligned(multiple: 4), unit: 4),
        Goal(target: "macs=0.5", granularity: .regular(multiple: 4), unit: 4),
    ]

    @Test(arguments: MethodCatalog.all, goals)
    func hitsItsTargetWithinOneUnitAndCompactsToTheSameFunction(method: MethodEntry, goal: Goal) throws {
        let bench = try Bench()
        let budget = try Budget(parsing: goal.target)
        let context = try bench.context(budget, goal.granularity)
        let outcome = try bench.run(method.pruner(), in: context)
        let masks = outcome.masks

        #expect(masks.isBinary)
        #expect(masks.liveWidths.allSatisfy { $0 >= 1 })
        let cost = context.selection.cost
        let allowed = budget.remaining * context.selection.fullCost
        #expect(cost.cost(masks.liveWidths) <= allowed * (1 + 1e-9))
        #expect(
            context.selection.families.contains { family in
                var widths = masks.liveWidths
                for group in family { widths[group] = goal.restored(widths[group], of: bench.groups[group].width) }
                return cost.cost(widths) > allowed
            }, "more was removed than asked: \(cost.cost(masks.liveWidths) / context.selection.fullCost)")

        let last = try #require(outcome.reports.last)
        #expect(abs(last.density - context.selection.density(of: masks)) < 1e-12)
        #expect(last.widths == masks.softWidths)
        #expect(outcome.reports.contains { $0.removed > 0 })
        #expect(masks != MaskSet(keepingAllOf: bench.groups))
        // float32 sums in another order
        #expect(try bench.compactionError(masks) <= 1e-5)
    }

    @Test(arguments: MethodCatalog.all) func theSameSeedGivesTheSameMasks(method: MethodEntry) throws {
        func outcome() throws -> Bench.Outcome {
            let bench = try Bench()
            return try bench.run(method.pruner(seed: 5), in: bench.context(Budget(.macs, 0.5)))
        }
        #expect(try outcome() == outcome())
    }

    @Test(arguments: MethodCatalog.all) func anInterruptedRunEndsAsAnUninterruptedOneBitForBit(method: MethodEntry)
        throws
    {
        func outcome(interrupted: Bool) throws -> Bench.Outcome {
            let bench = try Bench()
            return try bench.run(
                method.pruner(seed: 5), in: bench.context(Budget(.macs, 0.5)), interrupted: interrupted, seed: 5)
        }
        #expect(try outcome(interrupted: true) == outcome(interrupted: false))
    }

    @Test(arguments: MethodCatalog.all) func itsConfigurationRoundTrips(method: MethodEntry) throws {
        let defaults = try method.defaultConfiguration()
        func encoded(_ pruner: any Pruner) throws -> JSONValue { try JSONValue(encoding: pruner.configuration) }
        #expect(try encoded(method.make(defaults, 1)) == defaults)
        #expect(try encoded(method.make(nil, 1)) == defaults)
        // A value that is not the default survives too.
        for (key, value) in defaults.sortedMembers ?? [] where value.intValue != nil {
            let changed = try method.configuration(replacing: [key: 2])
            #expect(try encoded(method.make(changed, 1))[key] == 2, "\(key)")
        }
    }

    /// No setting of any method has a meaning at −10⁹, and no choice a value of this name.
    @Test(arguments: MethodCatalog.all) func settingsOutOfRangeAreRefusedByTheirKey(method: MethodEntry) throws {
        func check(_ value: JSONValue) throws {
            for (key, value) in value.sortedMembers ?? [] {
                if value.objectValue != nil {
                    try check(value)
                } else if value.stringValue != nil {
                    let values = try method.configuration(replacing: [key: "no-such-choice"])
                    #expect(throws: (any Error).self, "\(key)") { _ = try method.make(values, 1) }
                } else if value.doubleValue != nil {
                    let values = try method.configuration(replacing: [key: -1_000_000_000])
                    #expect {
                        _ = try method.make(values, 1)
                    } throws: {
                        $0 is PrunerConfigurationError && "\($0)".contains("'\(key)'")
                    }
                }
            }
        }
        try check(method.defaultConfiguration())
    }

    @Test(arguments: MethodCatalog.all) func missingEvidenceIsRefused(method: MethodEntry) throws {
        let bench = try Bench()
        let blind = try bench.context(Budget(.macs, 0.5), withData: false)
        guard method.needs != .weights else {
            #expect(throws: Never.self) { try blind.evidence.require(method.needs) }
            #expect(try bench.run(method.make(nil, 1), in: blind).masks.isBinary)
            return
        }
        func expectMissing(_ body: () throws -> Void) {
            #expect(
                performing: body,
                throws: { error in
                    guard case EvidenceError.missing(_, let offered)? = error as? EvidenceError else { return false }
                    return offered == .weights
                })
        }
        expectMissing { try blind.evidence.require(method.needs) }
        expectMissing { _ = try bench.run(method.make(nil, 1), in: blind) }
    }

    /// What a method declares is what it uses: with exactly that it runs.
    @Test(arguments: MethodCatalog.all) func declaredEvidenceIsEnough(method: MethodEntry) throws {
        let bench = try Bench()
        bench.offers = method.needs
        #expect(try bench.run(method.make(nil, 1), in: bench.context(Budget(.macs, 0.6))).masks.isBinary)
    }

    @Test(arguments: MethodCatalog.all) func aBudgetOutOfReachIsRefused(method: MethodEntry) throws {
        let bench = try Bench()
        #expect(throws: BudgetError.self) {
            _ = try bench.run(method.pruner(rounds: 2), in: bench.context(Budget(.macs, 1e-6)))
        }
    }

    @Test func namesAreUniqueAndKnown() throws {
        let names = MethodCatalog.all.map(\.card.name)
        #expect(Set(names).count == names.count && !names.isEmpty)
        for entry in MethodCatalog.all {
            #expect(try MethodCatalog.entry(named: entry.card.name).card == entry.card)
            #expect(!entry.card.summary.isEmpty && !entry.card.family.isEmpty)
            // The name is what `--method` takes.
            #expect(entry.card.name.allSatisfy { $0.isLowercase || $0.isNumber || $0 == "-" })
        }
        #expect {
            _ = try MethodCatalog.entry(named: "magic")
        } throws: {
            "\($0)".contains("'magic'") && "\($0)".contains("gradient-flow")
        }
    }
}
