import Configuration
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
        /// Coordinates of the largest unit.
        var unit = 1
        var testDescription: String { "\(target), \(granularity)" }

        /// A group's width with its largest unit back. Regular steps, and those of levels, leave a quarter of this
        /// bench's wide axes at most and half of its narrow ones.
        func restored(_ width: Int, of full: Int) -> Int {
            switch granularity {
            case .regular, .level: min(width + max(unit, full / 2), full)
            default: min(width + unit, full)
            }
        }
    }

    /// A method with something that it can take away.
    struct Case: Sendable, CustomTestStringConvertible {
        let method: MethodEntry
        let goal: Goal
        var testDescription: String { "\(method.card.name), \(goal.testDescription)" }

        static func all(_ goals: [Goal]) -> [Case] {
            MethodCatalog.all.flatMap { method in
                goals.filter { method.card.granularities.contains($0.granularity.name) }
                    .map { Case(method: method, goal: $0) }
            }
        }

        /// The first of `goals` that a method can be given, for each space that it masks.
        static func each(_ goals: [Goal]) -> [Case] {
            MethodCatalog.all.flatMap { method in
                method.card.spaces.compactMap { space in
                    goals.first {
                        $0.granularity.space == space && method.card.granularities.contains($0.granularity.name)
                    }.map { Case(method: method, goal: $0) }
                }
            }
        }

        static let each = each([
            Goal(target: "macs=0.5", granularity: .channel), Goal(target: "macs=0.7", granularity: .layer),
            Goal(target: "sparsity=0.8", granularity: .weight),
        ])

        func context(_ bench: Bench, evidence: EvidenceSource? = nil) throws -> PruningContext {
            try bench.context(goal.target, goal.granularity, for: method.card, evidence: evidence)
        }
    }

    // MARK: what a run comes to

    static let channelGoals = [
        Goal(target: "macs=0.5", granularity: .channel),
        Goal(target: "params=0.4", granularity: .channel),
        Goal(target: "sparsity=0.5", granularity: .channel),
        Goal(target: "macs=0.6,params=0.4", granularity: .channel),
        Goal(target: "macs=0.7", granularity: .head, unit: 4),
        Goal(target: "params=0.5", granularity: .block(3), unit: 3),
        Goal(target: "macs=0.5", granularity: .aligned(multiple: 4), unit: 4),
        Goal(target: "macs=0.5", granularity: .regular(multiple: 4), unit: 4),
        Goal(target: "macs=0.5", granularity: .level, unit: 4),
        Goal(target: "macs=0.6", granularity: .layer, unit: 16),
    ]

    @Test(arguments: Case.all(channelGoals))
    func hitsItsTargetWithinOneUnitAndCompactsToTheSameFunction(a: Case) throws {
        let bench = try Bench()
        let context = try a.context(bench)
        let outcome = try bench.run(a.method.pruner(), in: context)
        let (masks, selection) = (outcome.masks, context.selection)
        #expect(
            zip(masks.liveWidths, context.space.groups).allSatisfy {
                $0 >= 1 || (a.goal.granularity == .layer && $1.axis.isRemovable)
            }, "a layer is empty")
        #expect(bench.model.channelGroups.allSatisfy { $0.gating == nil }, "the method has left gates behind")
        try expectReported(outcome, in: context)
        // float32 sums in another order
        #expect(try #require(outcome.difference) <= 1e-5)
        guard a.method.card.promise == .meetsBudget else { return }

        let allowed = zip(selection.budget.limits, selection.fullCosts).map { $0.remaining * $1 }
        func holds(_ widths: [Int]) -> Bool {
            zip(selection.costs, allowed).allSatisfy { $0.value(widths) <= $1 * (1 + 1e-9) }
        }
        #expect(holds(masks.liveWidths))
        #expect(
            selection.families.contains { family in
                var widths = masks.liveWidths
                for site in family { widths[site] = a.goal.restored(widths[site], of: context.space.widths[site]) }
                return !holds(widths)
            }, "more was removed than asked: \(selection.density(of: masks))")
    }

    static let weightGoals = [
        Goal(target: "sparsity=0.5", granularity: .weight), Goal(target: "sparsity=0.9", granularity: .weight),
    ]

    @Test(arguments: Case.all(weightGoals)) func hasExactlyAsManyZerosAsAsked(a: Case) throws {
        let bench = try Bench()
        let context = try a.context(bench)
        let outcome = try bench.run(a.method.pruner(), in: context)
        try expectReported(outcome, in: context)
        #expect(outcome.masks.liveWidths.allSatisfy { $0 >= 1 }, "a layer is empty")
        #expect(try #require(outcome.difference) == 0)
        expectBaked(outcome.masks)
        guard a.method.card.promise == .meetsBudget else { return }
        let kept = Int((context.remaining * Double(context.space.count)).rounded(.down))
        #expect(outcome.masks.values.count { $0 == 1 } == kept)
    }

    static let patternGoals = [
        Goal(target: "sparsity=0.5", granularity: .pattern(keep: 2, of: 4)),
        Goal(target: "sparsity=0.75", granularity: .pattern(keep: 1, of: 4)),
    ]

    @Test(arguments: Case.all(patternGoals)) func keepsNOfEveryM(a: Case) throws {
        guard case .pattern(let keep, let size) = a.goal.granularity else { return }
        let bench = try Bench()
        let context = try a.context(bench)
        let outcome = try bench.run(a.method.pruner(), in: context)
        try expectReported(outcome, in: context)
        #expect(try #require(outcome.difference) == 0)
        expectBaked(outcome.masks)
        for (site, mask) in zip(context.space.sites, outcome.masks.bySite) {
            guard case .weight(let parameter, _) = site else { continue }
            let shape = parameter.variable.shape
            let (inputs, outputs) = (shape[shape.count - 2], shape[shape.count - 1])
            for tap in 0..<(mask.count / (inputs * outputs)) {
                for output in 0..<outputs {
                    for start in stride(from: 0, to: inputs, by: size) {
                        let members = start..<min(start + size, inputs)
                        let kept = members.count { mask[(tap * inputs + $0) * outputs + output] == 1 }
                        #expect(kept == min(keep, members.count), "\(site.name) \(tap) \(members) \(output)")
                    }
                }
            }
        }
    }

    /// What the reports say is what the masks are.
    private func expectReported(
        _ outcome: Bench.Outcome, in context: PruningContext, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let last = try #require(outcome.reports.last, sourceLocation: sourceLocation)
        #expect(outcome.masks.isBinary, sourceLocation: sourceLocation)
        #expect(
            abs(last.density - context.selection.density(of: outcome.masks)) < 1e-12, sourceLocation: sourceLocation)
        #expect(last.widths == outcome.masks.softWidths, sourceLocation: sourceLocation)
        #expect(outcome.masks != Masks(context.space), sourceLocation: sourceLocation)
        for (index, report) in outcome.reports.enumerated() {
            let before = index == 0 ? Masks(context.space) : outcome.history[index - 1]
            let pairs = zip(before.values, outcome.history[index].values)
            #expect(report.removed == pairs.count { $0 > 0 && $1 == 0 }, sourceLocation: sourceLocation)
            #expect(report.recovered == pairs.count { $0 == 0 && $1 > 0 }, sourceLocation: sourceLocation)
        }
        #expect(outcome.reports.contains { $0.removed > 0 }, sourceLocation: sourceLocation)
    }

    /// What is masked has become exactly zero in the weights, and nothing else.
    private func expectBaked(_ masks: Masks, sourceLocation: SourceLocation = #_sourceLocation) {
        for (site, mask) in zip(masks.space.sites, masks.bySite) {
            guard case .weight(let parameter, _) = site else { continue }
            let values = parameter.variable.value.array
            #expect(
                zip(values, mask).allSatisfy { $1 == 0 ? $0 == 0 : true }, "\(site.name)",
                sourceLocation: sourceLocation)
            #expect(values.contains { $0 != 0 }, "\(site.name)", sourceLocation: sourceLocation)
        }
    }

    // MARK: what a run depends on

    @Test(arguments: Case.each) func theSameSeedGivesTheSameRun(a: Case) throws {
        func outcome() throws -> Bench.Outcome {
            let bench = try Bench()
            return try bench.run(a.method.pruner(seed: 5), in: a.context(bench))
        }
        #expect(try outcome().isSame(as: outcome()))
    }

    @Test(arguments: Case.each) func anInterruptedRunEndsAsAnUninterruptedOneBitForBit(a: Case) throws {
        func outcome(interrupted: Bool) throws -> Bench.Outcome {
            let bench = try Bench()
            return try bench.run(
                a.method.pruner(seed: 5), in: a.context(bench), interrupted: interrupted, seed: 5)
        }
        #expect(try outcome(interrupted: true).isSame(as: outcome(interrupted: false)))
    }

    // MARK: settings

    @Test(arguments: MethodCatalog.all) func itsConfigurationRoundTrips(method: MethodEntry) throws {
        let defaults = try method.defaultConfiguration()
        func encoded(_ pruner: any Pruner) throws -> JSONValue { try JSONValue(encoding: pruner.configuration) }
        #expect(try encoded(method.make(defaults, 1)) == defaults)
        #expect(try encoded(method.make(nil, 1)) == defaults)
        // A value that is not the default survives too.
        for (key, value) in defaults.sortedMembers ?? [] {
            let other: JSONValue
            switch value {
            case .int: other = 2
            case .bool(let isOn): other = .bool(!isOn)
            default: continue
            }
            var values = [key: other]
            // Settings of one flow alone.
            if ["flowSteps", "polarization", "ratio"].contains(key) { values["flow"] = .string("sparse") }
            if ["chooseEvery"].contains(key) { values["flow"] = .string("continuous") }
            let changed = try method.configuration(replacing: values)
            #expect(try encoded(method.make(changed, 1))[key] == other, "\(key)")
        }
    }

    /// No setting of any method has a meaning at −10⁹, and no choice a value of this name.
    @Test(arguments: MethodCatalog.all) func settingsOutOfRangeAreRefusedByTheirKey(method: MethodEntry) throws {
        func check(_ value: JSONValue, _ path: [String] = []) throws {
            for (key, value) in value.sortedMembers ?? [] {
                let place = (path + [key]).map(JSONValue.snakeCase).joined(separator: ".")
                switch value {
                case .object: try check(value, path + [key])
                case .int, .double:
                    let values = try method.configuration(replacing: [key: -1_000_000_000])
                    #expect {
                        _ = try method.make(values, 1)
                    } throws: {
                        ($0 as? SettingError)?.key == place
                    }
                default:
                    let values = try method.configuration(replacing: [key: "no-such-choice"])
                    #expect(throws: (any Error).self, "\(key)") { _ = try method.make(values, 1) }
                }
            }
        }
        try check(method.defaultConfiguration())
    }

    // MARK: evidence

    private func expectMissing(_ hasData: Bool, _ body: () throws -> Void) {
        #expect(
            performing: body,
            throws: { error in
                guard case EvidenceError.missing(_, hasData)? = error as? EvidenceError else { return false }
                return true
            })
    }

    @Test(arguments: Case.each) func missingEvidenceIsRefused(a: Case) throws {
        let bench = try Bench()
        for data in [Bench.Offer.none, .batches] {
            let evidence = bench.evidence(data)
            let context = try a.context(bench, evidence: evidence)
            let plain: (any CalibrationSource)? = data == .none ? nil : bench.batchesOnly
            if a.method.needs.allSatisfy({ $0.isOffered(by: plain) }) {
                #expect(throws: Never.self) { try evidence.require(a.method.needs) }
                var masks = Masks(context.space)
                var pruner = try a.method.pruner()
                #expect(throws: Never.self) { _ = try pruner.update(&masks, number: 0, in: context) }
            } else {
                expectMissing(data != .none) { try evidence.require(a.method.needs) }
                expectMissing(data != .none) { _ = try bench.run(a.method.pruner(), in: context) }
            }
        }
    }

    /// What a method declares is what it uses: nothing else is given to it.
    @Test(arguments: Case.each) func declaredEvidenceIsEnough(a: Case) throws {
        let bench = try Bench()
        let needs = a.method.needs
        let data: Bench.Offer =
            needs.isEmpty ? .none : needs.allSatisfy { $0.isOffered(by: bench.batchesOnly) } ? .batches : .everything
        let context = try a.context(bench, evidence: bench.evidence(data, declared: needs))
        #expect(try bench.run(a.method.pruner(), in: context).masks.isBinary)
    }

    // MARK: budgets

    @Test(
        arguments: Case.each([
            Goal(target: "macs=1e-6", granularity: .channel), Goal(target: "macs=1e-6", granularity: .layer),
            Goal(target: "sparsity=0.999999", granularity: .weight),
        ]))
    func aBudgetOutOfReachIsRefused(a: Case) throws {
        guard a.method.card.promise == .meetsBudget else { return }
        let bench = try Bench()
        #expect(throws: BudgetError.self) { _ = try bench.run(a.method.pruner(rounds: 2), in: a.context(bench)) }
    }

    // MARK: the catalogue

    @Test func namesAreUniqueAndKnown() throws {
        let names = MethodCatalog.all.map(\.card.name)
        #expect(Set(names).count == names.count && !names.isEmpty)
        for entry in MethodCatalog.all {
            #expect(try MethodCatalog.entry(named: entry.card.name).card == entry.card)
            #expect(!entry.card.summary.isEmpty && !entry.card.family.isEmpty && !entry.card.granularities.isEmpty)
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
