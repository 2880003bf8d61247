import Foundation
import Layers
import Models
import Pruning
import Testing

/// Budgets that say how much may be left instead of which share.
@Suite struct AmountTests {
    @Test(
        arguments: [
            ("params=500k", 500_000), ("params=1.2M", 1_200_000), ("macs=80M", 8e7), ("macs=1.5G", 1.5e9),
            ("macs=2", 2),
            ("bytes=2MB", 2e6), ("bytes=2mb", 2e6), ("bytes=300KB", 3e5), ("bytes=4KiB", 4096),
            ("bytes=1.5MiB", 1_572_864),
            ("bytes=2000000", 2e6), ("bytes=700B", 700), ("params=500K", 500_000),
        ] as [(String, Double)])
    func amountsAreReadWithTheirUnits(text: String, amount: Double) throws {
        let budget = try Budget(parsing: text)
        #expect(budget.limits[0].amount == amount)
        #expect(try Budget(parsing: budget.description) == budget)
        #expect(budget.needsModel(in: .channels))
    }

    @Test func sharesAndAmountsStandTogether() throws {
        let budget = try Budget(parsing: "macs=80M,bytes=0.5,sparsity=0.3")
        #expect(budget.limits.map(\.amount) == [8e7, nil, nil])
        #expect(budget.description == "macs=80M,bytes=0.5,sparsity=0.3")
    }

    @Test(arguments: ["bytes=2X", "params=2MB", "macs=80m", "sparsity=3k", "bytes=2M"])
    func aUnitThatTheQuantityLacksIsRefusedWithThoseItHas(text: String) {
        #expect { try Budget(parsing: text) } throws: {
            guard case BudgetError.badUnit? = $0 as? BudgetError else { return false }
            return "\($0)".contains(text) && "\($0)".contains("a share as 0.5")
        }
    }

    private struct Setting {
        let model: UNet
        let space: PruningSpace
        let storage: PlainStorage

        init(_ kind: PruningSpace.Kind = .channels) throws {
            var configuration = TinyUNet.all[0].configuration
            configuration.blockOutChannels = [16, 32]
            configuration.normNumGroups = 4
            model = try UNet(configuration)
            space = .of(kind, in: model)
            storage = PlainStorage(model.parameters)
        }

        func selection(_ target: String, _ granularity: Granularity = .channel) throws -> Selection {
            try Selection(
                space: space, network: model, budget: Budget(parsing: target), granularity: granularity,
                minimumFraction: 0.1, storedAs: storage)
        }

        func bytes(of network: UNet) -> Int {
            network.parameters.reduce(0) { $0 + 4 * $1.count }
                + storage.overhead(of: network.parameters.map(\.fileShape))
        }
    }

    /// What is counted for bytes is the file to the byte, whatever the widths.
    @Test(arguments: [1, 2, 3] as [UInt64]) func bytesAreThoseOfTheFileThatIsSaved(seed: UInt64) throws {
        let setting = try Setting()
        let selection = try setting.selection("bytes=0.4")
        #expect(selection.fullCosts[0] == Double(setting.bytes(of: setting.model)))
        let masks = try selection.masks(
            keeping: .random(setting.space, seed: seed), remaining: selection.budget.remaining)
        let left = try Compaction(setting.model, masks: masks).network
        #expect(selection.costs[0].value(masks.liveWidths) == Double(setting.bytes(of: left)))
    }

    /// One more channel of the largest would be too much.
    @Test(arguments: [Granularity.channel, .block(4), .aligned(multiple: 4)])
    func amountsAreMetWithinOneUnit(granularity: Granularity) throws {
        let setting = try Setting()
        let whole = Double(setting.bytes(of: setting.model))
        let selection = try setting.selection(
            "bytes=\(Int(whole / 2)),params=\(setting.model.parameterCount * 2 / 3)", granularity)
        let masks = try selection.masks(keeping: .random(setting.space), remaining: selection.budget.remaining)
        let left = selection.costs.map { $0.value(masks.liveWidths) }
        let limits = selection.budget.limits.compactMap(\.amount)
        #expect(zip(left, limits).allSatisfy { $0 <= $1 })
        let unit = selection.costs[0].slopes(setting.space.widths.map(Double.init)).max() ?? 0
        #expect(left[0] > limits[0] - 8 * unit)
    }

    @Test func anAmountThatTheModelDoesNotExceedIsRefusedWithWhatItHas() throws {
        let setting = try Setting()
        let count = setting.model.parameterCount
        for text in ["params=\(count)", "params=900M"] {
            #expect { _ = try setting.selection(text) } throws: {
                guard case BudgetError.notBelow(_, let whole)? = $0 as? BudgetError else { return false }
                return whole == Double(count) && "\($0)".contains(text) && "\($0)".contains("the model has")
            }
        }
        _ = try setting.selection("params=\(count - 1)")
    }

    @Test func anAmountOutOfReachIsRefusedWithTheLeastInItsOwnUnit() throws {
        let setting = try Setting()
        #expect { try setting.selection("bytes=2KiB").checkReachable() } throws: {
            guard case BudgetError.unreachableAmount? = $0 as? BudgetError else { return false }
            return "\($0)".contains("target bytes=2KiB cannot be reached") && "\($0)".contains("KiB of the model's")
        }
        // What is named can be had, and a little less cannot.
        let selection = try setting.selection("params=2k")
        let (limit, least) = selection.lowestFractions[0]
        let text = limit.text(atShare: least, digits: 3, rounding: .up)
        try setting.selection(text).checkReachable()
        let amount = try #require(Budget(parsing: text).limits[0].amount)
        #expect(throws: BudgetError.self) {
            try setting.selection("params=\(Int(amount * 0.98))").checkReachable()
        }
    }

    /// Bytes of single weights are those of the file that leaves zeros out.
    @Test func bytesOfSingleWeightsSayHowManyAreNotZero() throws {
        let setting = try Setting(.weights)
        let whole = setting.bytes(of: setting.model)
        let shapes = setting.model.parameters.map(\.fileShape)
        let base = setting.storage.compactOverhead(
            of: shapes, isCompact: setting.model.parameters.map(\.isMaskable))
        for target in ["bytes=0.5", "bytes=\(whole / 2)"] {
            let selection = try setting.selection(target, .weight)
            let masks = try selection.masks(keeping: .random(setting.space), remaining: selection.budget.remaining)
            let kept = masks.liveWidths.reduce(0, +)
            #expect((whole / 2 - 8...whole / 2).contains(base + 4 * kept), "\(target)")
        }
        #expect(throws: BudgetError.self) { try setting.selection("bytes=1KB", .weight).checkReachable() }
        #expect(throws: BudgetError.self) { try setting.selection("bytes=0.5", .pattern(keep: 2, of: 4)) }
        // The tighter of two holds.
        let both = try setting.selection("sparsity=0.2,bytes=0.5", .weight)
        #expect(try both.budget.remaining == setting.selection("bytes=0.5", .weight).budget.remaining)
    }

    @Test func bytesNeedAFile() throws {
        let setting = try Setting()
        #expect(throws: BudgetError.self) {
            _ = try Selection(
                space: setting.space, network: setting.model, budget: Budget(parsing: "bytes=0.5"),
                granularity: .channel, minimumFraction: 0)
        }
    }
}
