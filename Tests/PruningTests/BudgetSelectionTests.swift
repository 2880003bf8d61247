import Models
import Pruning
import TensorCore
import Testing

@Suite struct BudgetSelectionTests {
    private struct Setting {
        let model: UNet
        let groups: [PrunableGroup]
        let cost: CostModel
        let selection: BudgetSelection

        init(
            _ kind: CostKind = .macs, _ granularity: Granularity = .channel, leastFraction: Double = 0,
            _ change: (inout UNetConfiguration) -> Void = { _ in }
        ) throws {
            var configuration = TinyUNet.all[0].configuration
            configuration.blockOutChannels = [16, 32]
            configuration.normNumGroups = 4
            change(&configuration)
            model = try UNet(configuration)
            groups = PrunableGroup.all(of: model)
            cost = CostModel(kind, of: model, groups: groups)
            selection = try BudgetSelection(
                cost: cost, groups: groups, granularity: granularity, leastFraction: leastFraction,
                normalizations: model.normalizations)
        }

        func scores(seed: UInt64 = 1) -> [[Double]] {
            groups.enumerated().map { index, group in
                var stream = RandomStream(seed: seed, purpose: .importance, index: UInt64(index))
                return (0..<group.width).map { _ in stream.uniform() }
            }
        }
    }

    static let remaining = [0.9, 0.5, 0.25]

    @Test(arguments: CostKind.allCases, remaining)
    func theBudgetIsMetWithinOneChannel(kind: CostKind, remaining: Double) throws {
        let setting = try Setting(kind)
        let scores = setting.scores()
        let masks = try setting.selection.masks(keeping: scores, remaining: remaining)
        let allowed = remaining * setting.selection.fullCost
        #expect(masks.isBinary)
        #expect(setting.cost.cost(masks.liveWidths) <= allowed)
        #expect(
            abs(setting.selection.density(of: masks) * setting.selection.fullCost - setting.cost.cost(masks.liveWidths))
                < 1)

        // The last to leave is the best of those that left; with it the cost was still too high.
        var best: (group: Int, score: Double)?
        for (group, mask) in masks.values.enumerated() {
            for (channel, value) in mask.enumerated() where value == 0 {
                if scores[group][channel] > best?.score ?? -1 { best = (group, scores[group][channel]) }
            }
        }
        let last = try #require(best)
        var widths = masks.liveWidths
        widths[last.group] += 1
        #expect(setting.cost.cost(widths) > allowed)

        // Everything that scored lower left too, unless its group had nothing more to give.
        for (group, mask) in masks.values.enumerated() where masks.liveWidths[group] > 1 {
            for (channel, value) in mask.enumerated() where value == 1 { #expect(scores[group][channel] > last.score) }
        }
    }

    @Test func everyGroupKeepsItsLeastWidth() throws {
        let setting = try Setting(leastFraction: 0.3)
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

    @Test func aBudgetBelowTheLeastWidthsIsRefusedWithWhatIsPossible() throws {
        let setting = try Setting(leastFraction: 0.5)
        let least = setting.cost.cost(setting.groups.map { ($0.width + 1) / 2 }) / setting.selection.fullCost
        #expect {
            _ = try setting.selection.masks(keeping: setting.scores(), remaining: 0.05)
        } throws: { error in
            guard case BudgetError.unreachable(let asked, let reached, _)? = error as? BudgetError else { return false }
            return asked == 0.05 && abs(reached - least) < 1e-12 && "\(error)".contains("cannot be reached")
        }
    }

    @Test func tiesGoByPosition() throws {
        let setting = try Setting(.channels)
        let equal = setting.groups.map { [Double](repeating: 1, count: $0.width) }
        let masks = try setting.selection.masks(keeping: equal, remaining: 0.9)
        var left = Int((0.9 * setting.selection.fullCost).rounded(.down))
        left = Int(setting.selection.fullCost) - left
        // The first group gives all it can, then the next.
        for (group, width) in zip(setting.groups, masks.liveWidths) {
            let gone = min(left, group.width - 1)
            #expect(width == group.width - gone, "\(group.name)")
            left -= gone
        }
        for (group, mask) in zip(setting.groups, masks.values) {
            let width = mask.count { $0 == 1 }
            #expect(mask == (0..<group.width).map { $0 < group.width - width ? 0 : 1 })
        }
        #expect(try setting.selection.masks(keeping: equal, remaining: 0.9) == masks)
    }

    @Test func aScoreThatIsNotANumberLeavesFirst() throws {
        let setting = try Setting(.channels)
        var scores = setting.scores()
        scores[2][5] = .nan
        scores[4][1] = -.infinity
        let total = setting.selection.fullCost
        let masks = try setting.selection.masks(keeping: scores, remaining: (total - 2) / total)
        #expect(masks.values[2][5] == 0 && masks.values[4][1] == 0)
        #expect(masks.values.joined().count { $0 == 0 } == 2)
    }

    /// −∞ marks what left in an earlier round: it stays away although the budget would be met with some of it.
    @Test func whatHasLeftStaysAwayEvenWhereTheBudgetWouldAllowIt() throws {
        let setting = try Setting(.channels)
        var scores = setting.scores()
        for channel in 0..<4 { scores[1][channel] = -.infinity }
        let total = setting.selection.fullCost
        let masks = try setting.selection.masks(keeping: scores, remaining: (total - 2) / total)
        #expect(masks.values[1].prefix(4).allSatisfy { $0 == 0 })
        #expect(masks.values.joined().count { $0 == 0 } == 4)
    }

    @Test(arguments: [3, 4, 8], remaining)
    func alignedWidthsAreMultiplesTakenFromNormalizationGroupsInTurn(multiple: Int, remaining: Double) throws {
        let setting = try Setting(.macs, .aligned(multiple: multiple))
        let masks = try setting.selection.masks(keeping: setting.scores(), remaining: remaining)
        let density = setting.selection.density(of: masks)
        #expect(density <= remaining && density > remaining - 0.05)
        for (group, mask) in zip(setting.groups, masks.values) {
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
        let allowed = 0.5 * setting.selection.fullCost
        for (index, group) in setting.groups.enumerated() where masks.liveWidths[index] < group.width {
            var widths = masks.liveWidths
            widths[index] += 8
            #expect(setting.cost.cost(widths) > allowed, "\(group.name)")
        }
    }

    @Test(arguments: remaining) func headsLeaveWhole(remaining: Double) throws {
        let setting = try Setting(.macs, .head)
        let masks = try setting.selection.masks(keeping: setting.scores(), remaining: remaining)
        var heads = 0
        for (group, mask) in zip(setting.groups, masks.values) where group.axis.headWidth > 1 {
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
        let setting = try Setting(.parameters, .block(size))
        let masks = try setting.selection.masks(keeping: setting.scores(), remaining: 0.5)
        for (group, mask) in zip(setting.groups, masks.values) {
            for start in stride(from: 0, to: mask.count, by: size) {
                #expect(Set(mask[start..<min(start + size, mask.count)]).count == 1, "\(group.name)")
            }
        }
        #expect(setting.selection.density(of: masks) <= 0.5)
    }

    /// A unit's priority is the mean over its channels, not the best or the sum.
    @Test func aBlocksPriorityIsItsMean() throws {
        let setting = try Setting(.channels, .block(2))
        var scores = setting.groups.map { [Double](repeating: 1, count: $0.width) }
        scores[0][0] = 5
        scores[0][1] = -4  // mean 0.5
        scores[1][2] = 0.6
        scores[1][3] = 0.6
        let total = setting.selection.fullCost
        let masks = try setting.selection.masks(keeping: scores, remaining: (total - 2) / total)
        #expect(masks.values[0][0] == 0 && masks.values[0][1] == 0)
        #expect(masks.values.joined().count { $0 == 0 } == 2)
    }
}
