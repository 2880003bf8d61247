import Models
import Pruning
import TensorCore
import TestSupport
import Testing

@Suite struct SelectionTests {
    private struct Setting {
        let model: UNet
        let space: PruningSpace
        let selection: Selection
        var groups: [PrunableGroup] { space.groups }
        var cost: any Cost { selection.costs[0] }
        var fullCost: Double { selection.fullCosts[0] }

        init(
            _ quantity: Budget.Quantity = .macs, _ granularity: Granularity = .channel, minimumFraction: Double = 0
        ) throws {
            var configuration = TinyUNet.all[0].configuration
            configuration.blockOutChannels = [16, 32]
            configuration.normNumGroups = 4
            model = try UNet(configuration)
            space = .channels(of: model)
            // What is asked of `masks` counts; the budget only says which cost.
            selection = try Selection(
                space: space, network: model, budget: Budget(quantity, 0.5), granularity: granularity,
                minimumFraction: minimumFraction, storedAs: PlainStorage(model.parameters))
        }

        func scores(seed: UInt64 = 1) -> Scores { .random(space, seed: seed) }

        /// Every coordinate the same.
        var equal: Scores { Scores(space, [Double](repeating: 1, count: space.count)) }
    }

    static let remaining = [0.9, 0.5, 0.25]

    @Test(arguments: Budget.Quantity.allCases, remaining)
    func theBudgetIsMetWithinOneChannel(quantity: Budget.Quantity, remaining: Double) throws {
        let setting = try Setting(quantity)
        let scores = setting.scores()
        let masks = try setting.selection.masks(keeping: scores, remaining: remaining)
        let allowed = remaining * setting.fullCost
        #expect(masks.isBinary)
        #expect(setting.cost.value(masks.liveWidths) <= allowed)
        #expect(
            abs(setting.selection.density(of: masks) * setting.fullCost - setting.cost.value(masks.liveWidths))
                < 1)

        // The last to leave is the best of those that left; with it the cost was still too high.
        var best: (group: Int, score: Double)?
        for (group, mask) in masks.bySite.enumerated() {
            for (channel, value) in mask.enumerated() where value == 0 {
                if scores[group][channel] > best?.score ?? -1 { best = (group, scores[group][channel]) }
            }
        }
        let last = try #require(best)
        var widths = masks.liveWidths
        widths[last.group] += 1
        #expect(setting.cost.value(widths) > allowed)

        // Everything that scored lower left too, unless its group had nothing more to give.
        for (group, mask) in masks.bySite.enumerated() where masks.liveWidths[group] > 1 {
            for (channel, value) in mask.enumerated() where value == 1 { #expect(scores[group][channel] > last.score) }
        }
    }

    @Test func everySiteKeepsItsMinimumWidth() throws {
        let setting = try Setting(minimumFraction: 0.3)
        // One group's scores are all the lowest: it would vanish.
        var scores = setting.scores()
        scores[3] = scores[3].map { $0 - 10 }
        let masks = try setting.selection.masks(keeping: scores, remaining: 0.3)
        for (group, width) in masks.liveWidths.enumerated() {
            #expect(Double(width) >= 0.3 * Double(setting.groups[group].width))
        }
        #expect(masks.liveWidths[3] == Int((0.3 * Double(setting.groups[3].width)).rounded(.up)))
        let one = try Setting().selection.masks(keeping: scores, remaining: 0.1)
        #expect(one.liveWidths.allSatisfy { $0 >= 1 } && one.liveWidths[3] == 1)
    }

    @Test func aBudgetBelowTheMinimumWidthsIsRefusedWithWhatIsPossible() throws {
        let setting = try Setting(minimumFraction: 0.5)
        let minimum = setting.cost.value(setting.groups.map { ($0.width + 1) / 2 }) / setting.fullCost
        #expect {
            _ = try setting.selection.masks(keeping: setting.scores(), remaining: 0.05)
        } throws: { error in
            guard case BudgetError.unreachable(let asked, let reached, _)? = error as? BudgetError else { return false }
            return asked == 0.05 && abs(reached - minimum) < 1e-12 && "\(error)".contains("cannot be reached")
        }
    }

    @Test func tiesGoByPosition() throws {
        let setting = try Setting(.sparsity)
        let masks = try setting.selection.masks(keeping: setting.equal, remaining: 0.9)
        var left = Int((0.9 * setting.fullCost).rounded(.down))
        left = Int(setting.fullCost) - left
        // The first group gives all it can, then the next.
        for (group, width) in zip(setting.groups, masks.liveWidths) {
            let gone = min(left, group.width - 1)
            #expect(width == group.width - gone, "\(group.name)")
            left -= gone
        }
        for (group, mask) in zip(setting.groups, masks.bySite) {
            let width = mask.count { $0 == 1 }
            #expect(mask == (0..<group.width).map { $0 < group.width - width ? 0 : 1 })
        }
        #expect(try setting.selection.masks(keeping: setting.equal, remaining: 0.9) == masks)
    }

    @Test func whatIsWorthNothingLeavesFirst() throws {
        let setting = try Setting(.sparsity)
        var scores = setting.scores()
        scores[4][1] = -.infinity
        let total = setting.fullCost
        let masks = try setting.selection.masks(keeping: scores, remaining: (total - 1) / total)
        #expect(masks[4][1] == 0 && masks.values.count { $0 == 0 } == 1)
    }

    /// It would rank anywhere.
    @Test func aScoreThatIsNotANumberIsRefusedByItsPlace() throws {
        let setting = try Setting(.sparsity)
        var scores = setting.scores()
        scores[2][5] = .nan
        #expect {
            _ = try setting.selection.masks(keeping: scores, remaining: 0.9)
        } throws: {
            $0 is ScoreError && "\($0)".contains("'\(setting.space.sites[2].name)', number 5")
        }
    }

    /// −∞ marks what left in an earlier round: it stays away although the budget would be met with some of it.
    @Test func whatHasLeftStaysAwayEvenWhereTheBudgetWouldAllowIt() throws {
        let setting = try Setting(.sparsity)
        var scores = setting.scores()
        for channel in 0..<4 { scores[1][channel] = -.infinity }
        let total = setting.fullCost
        let masks = try setting.selection.masks(keeping: scores, remaining: (total - 2) / total)
        #expect(masks[1].prefix(4).allSatisfy { $0 == 0 })
        #expect(masks.values.count { $0 == 0 } == 4)
    }

    @Test(arguments: [3, 4, 8], remaining)
    func alignedWidthsAreMultiplesTakenFromNormalizationGroupsInTurn(multiple: Int, remaining: Double) throws {
        let setting = try Setting(.macs, .aligned(multiple: multiple))
        let masks = try setting.selection.masks(keeping: setting.scores(), remaining: remaining)
        let density = setting.selection.density(of: masks)
        #expect(density <= remaining && density > remaining - 0.05)
        for (group, mask) in zip(setting.groups, masks.bySite) {
            let width = mask.count { $0 == 1 }
            #expect(width == group.width || width % multiple == 0, "\(group.name)")
            // Axes that are normalised only as parts of a concatenation have no groups of their own.
            let isNormalized = setting.model.normalizations.contains {
                $0.axis.groups.count == 1 && $0.axis.groups[0] === group.axis
            }
            guard isNormalized || group.axis.headWidth > 1 else { continue }
            let part = group.axis.headWidth > 1 ? group.axis.headWidth : group.width / 4
            let counts = stride(from: 0, to: mask.count, by: part).map { start in
                mask[start..<start + part].count { $0 == 1 }
            }
            #expect((counts.max() ?? 0) - (counts.min() ?? 0) <= 1, "\(group.name) \(counts)")
        }
    }

    /// The last unit of a coarse selection must not cost more than it has to.
    @Test func whatStillFitsComesBack() throws {
        let setting = try Setting(.macs, .aligned(multiple: 8))
        let masks = try setting.selection.masks(keeping: setting.scores(seed: 3), remaining: 0.5)
        let allowed = 0.5 * setting.fullCost
        for (index, group) in setting.groups.enumerated() where masks.liveWidths[index] < group.width {
            var widths = masks.liveWidths
            widths[index] += 8
            #expect(setting.cost.value(widths) > allowed, "\(group.name)")
        }
    }

    @Test(arguments: remaining) func headsLeaveWhole(remaining: Double) throws {
        let setting = try Setting(.macs, .head)
        let masks = try setting.selection.masks(keeping: setting.scores(), remaining: remaining)
        var heads = 0
        for (group, mask) in zip(setting.groups, masks.bySite) where group.axis.headWidth > 1 {
            for start in stride(from: 0, to: mask.count, by: 4) {
                heads += 1
                #expect(Set(mask[start..<start + 4]).count == 1, "\(group.name)")
            }
        }
        #expect(heads == 8 * 4)
        #expect(setting.selection.density(of: masks) <= remaining)
        // Elsewhere channels still leave one by one.
        #expect(masks.liveWidths.contains { $0 % 4 != 0 })
    }

    @Test(arguments: [3, 4]) func blocksLeaveWhole(size: Int) throws {
        let setting = try Setting(.params, .block(size))
        let masks = try setting.selection.masks(keeping: setting.scores(), remaining: 0.5)
        for (group, mask) in zip(setting.groups, masks.bySite) {
            for start in stride(from: 0, to: mask.count, by: size) {
                #expect(Set(mask[start..<min(start + size, mask.count)]).count == 1, "\(group.name)")
            }
        }
        #expect(setting.selection.density(of: masks) <= 0.5)
    }

    /// A unit's priority is the mean over its channels, not the best or the sum.
    @Test func aBlocksPriorityIsItsMean() throws {
        let setting = try Setting(.sparsity, .block(2))
        var scores = setting.equal
        scores[0][0] = 5
        scores[0][1] = -4  // mean 0.5
        scores[1][2] = 0.6
        scores[1][3] = 0.6
        let total = setting.fullCost
        let masks = try setting.selection.masks(keeping: scores, remaining: (total - 2) / total)
        #expect(masks[0][0] == 0 && masks[0][1] == 0)
        #expect(masks.values.count { $0 == 0 } == 2)
    }

    // MARK: several limits

    /// All of them hold, and one holds within one unit.
    @Test(arguments: ["macs=0.6,params=0.5", "macs=0.9,params=0.3", "params=0.8,macs=0.4,sparsity=0.3"])
    func severalLimitsAllHold(target: String) throws {
        let model = try UNet(TinyUNet.all[0].configuration)
        let space = PruningSpace.channels(of: model)
        let budget = try Budget(parsing: target)
        let selection = try Selection(
            space: space, network: model, budget: budget, granularity: .channel, minimumFraction: 0)
        #expect(selection.costs.count == budget.limits.count)
        let scores = Scores.random(space)
        for progress in [0.25, 0.5, 1] {
            // The others come nearer in step with the first.
            let allowed = zip(budget.limits, selection.fullCosts).map { (1 - progress * (1 - $0.remaining)) * $1 }
            let masks = try selection.masks(keeping: scores, remaining: 1 - progress * (1 - budget.remaining))
            func holds(_ widths: [Int]) -> Bool {
                zip(selection.costs, allowed).allSatisfy { $0.value(widths) <= $1 * (1 + 1e-9) }
            }
            #expect(holds(masks.liveWidths), "\(progress)")
            // The last to leave is the best of those that left.
            let last = try #require(
                masks.values.indices.filter { masks.values[$0] == 0 }.max { scores.values[$0] < scores.values[$1] })
            var widths = masks.liveWidths
            widths[space.site(of: last)] += 1
            #expect(!holds(widths), "\(progress)")
        }
    }

    /// Per unit of cost what counts is what is freed of all limits together.
    @Test func costsOfSeveralLimitsAddUp() throws {
        let network = try ChainNetwork()
        let space = PruningSpace.channels(of: network)
        func removed(_ target: String, _ scores: [[Double]]) throws -> [Int] {
            let selection = try Selection(
                space: space, network: network, budget: Budget(parsing: target), granularity: .channel,
                minimumFraction: 0)
            let masks = try selection.masks(
                keeping: Scores(space, bySite: scores), remaining: 0.999, perCost: true)
            return masks.values.indices.filter { masks.values[$0] == 0 }
        }
        // MACs: 6·8 + 8·12 + 12·4 = 192, and 24 parameters more. A channel frees 18 or 12 MACs, 19 or 13 parameters.
        func scores(_ first: Double, _ second: Double) -> [[Double]] {
            [[first] + Array(repeating: 99, count: 7), [second] + Array(repeating: 99, count: 11)]
        }
        for (target, price) in [
            ("macs=0.5", [18.0 / 192, 12.0 / 192]), ("params=0.5", [19.0 / 216, 13.0 / 216]),
            ("macs=0.5,params=0.5", [18.0 / 192 + 19.0 / 216, 12.0 / 192 + 13.0 / 216]),
        ] {
            #expect(try removed(target, scores(price[0] * 0.999, price[1])) == [0], "\(target)")
            #expect(try removed(target, scores(price[0] * 1.001, price[1])) == [8], "\(target)")
        }
    }
}
