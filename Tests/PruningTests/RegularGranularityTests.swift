import Foundation
import Layers
import Models
import Pruning
import TensorCore
import Testing

/// Granularity `regular`: what is left has equal normalisation groups everywhere and widths that are multiples, so that
/// a layer which knows no groups but equal ones computes the same.
@Suite struct RegularGranularityTests {
    private struct Setting {
        let model: UNet
        let space: PruningSpace
        var groups: [PrunableGroup] { space.groups }

        init(_ model: UNet) {
            self.model = model
            space = .channels(of: model)
        }

        init(_ configuration: UNetConfiguration) throws {
            let model = try UNet(configuration)
            model.initialize(seed: 1)
            self.init(model)
        }

        func selection(
            multiple: Int, quantity: Budget.Quantity = .macs, minimumFraction: Double = 0
        ) throws -> Selection {
            // What is asked of `masks` counts; the budget only says which cost.
            try Selection(
                space: space, network: model, budget: Budget(quantity, 0.5), granularity: .regular(multiple: multiple),
                minimumFraction: minimumFraction)
        }

        func scores(seed: UInt64 = 1) -> Scores { .random(space, seed: seed) }

        func compacted(_ masks: Masks) throws -> UNet { try Compaction(model, masks: masks).network }
    }

    private static func configuration(
        _ widths: [Int], groups: Int, _ change: (inout UNetConfiguration) -> Void = { _ in }
    ) -> UNetConfiguration {
        var configuration = TinyUNet.all[0].configuration
        configuration.blockOutChannels = widths
        configuration.normNumGroups = groups
        change(&configuration)
        return configuration
    }

    /// Every normalisation is one that diffusers could build at the widths left.
    private func expectEqualGroups(_ network: UNet, sourceLocation: SourceLocation = #_sourceLocation) {
        for norm in network.normalizations.compactMap({ $0 as? GroupNorm }) {
            let (width, count) = (norm.axis.width, norm.groupCount)
            let isPlain = width % count == 0 && norm.groups == NormalizationGroups(width: width, count: count)
            #expect(
                isPlain, "\(norm.gamma.name): \(norm.groups.widths)", sourceLocation: sourceLocation)
        }
        for group in network.channelGroups where group.headWidth > 1 {
            let heads = Dictionary(grouping: group.kept) { $0 / group.headWidth }
            #expect(Set(heads.values.map(\.count)).count == 1, "\(group.name)", sourceLocation: sourceLocation)
            #expect(heads.count == group.originalWidth / group.headWidth, sourceLocation: sourceLocation)
        }
    }

    // MARK: every way in which axes meet

    @Test(arguments: TinyUNet.all) func noNormalizationIsForgotten(tiny: TinyUNet) throws {
        let model = try tiny.model()
        let scales = model.parameters.map(\.name).filter { $0.contains("norm") && $0.hasSuffix(".weight") }
        #expect(Set(model.normalizations.map(\.gamma.name)) == Set(scales))
        #expect(model.normalizations.count == scales.count)
    }

    @Test(arguments: TinyUNet.all, [1, 4])
    func everyNormalizationKeepsEqualGroups(tiny: TinyUNet, multiple: Int) throws {
        let setting = Setting(try tiny.model())
        for remaining in [0.95, 0.8] {
            let selection = try setting.selection(multiple: multiple, minimumFraction: 0.1)
            let masks = try selection.masks(keeping: setting.scores(), remaining: remaining)
            #expect(selection.density(of: masks) <= remaining)
            let network = try setting.compacted(masks)
            expectEqualGroups(network)
            let masked = masks.applied { tiny.output(of: setting.model) }
            #expect(relativeDifference(masked, tiny.output(of: network)) <= 1e-5)
        }
    }

    /// The sample model, whose concatenations of 96 with 64 and 64 with 32 channels have groups across the seam.
    @Test(arguments: [1, 8, 16]) func theSampleModelAtHalfItsCost(multiple: Int) throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Samples/models/fashion-unet/unet/config.json")
        let setting = try Setting(
            JSONDecoder().decode(UNetConfiguration.self, from: Data(contentsOf: file)))
        let straddling = setting.model.normalizations.filter { norm in
            norm.axis.groups.count == 2
                && norm.axis.groups[0].originalWidth % (norm.axis.originalWidth / norm.groupCount) != 0
        }
        #expect(!straddling.isEmpty)
        for seed in 1...5 as ClosedRange<UInt64> {
            let selection = try setting.selection(multiple: multiple, minimumFraction: 0.1)
            let masks = try selection.masks(keeping: setting.scores(seed: seed), remaining: 0.5)
            let network = try setting.compacted(masks)
            expectEqualGroups(network)
            for group in network.channelGroups { #expect(group.width % multiple == 0, "\(group.name)") }
            #expect(network.macs <= 0.5 * setting.model.macs && network.macs > 0.45 * setting.model.macs)
        }
    }

    // MARK: families

    /// What is concatenated keeps the same fraction of its channels; what is normalised alone goes its own way.
    @Test func axesThatMeetInANormalizationKeepOneFraction() throws {
        let setting = try Setting(Self.configuration([16, 32], groups: 4))
        let selection = try setting.selection(multiple: 1)
        #expect(selection.families.flatMap { $0 }.sorted() == Array(setting.groups.indices))
        let numbers = Dictionary(uniqueKeysWithValues: zip(setting.groups.map { ObjectIdentifier($0.axis) }, 0...))
        let masks = try selection.masks(keeping: setting.scores(), remaining: 0.5)
        let fractions = zip(masks.liveWidths, setting.groups).map { Double($0) / Double($1.width) }
        for norm in setting.model.normalizations where norm.axis.groups.count > 1 {
            let met = norm.axis.groups.compactMap { numbers[ObjectIdentifier($0)] }
            #expect(Set(met.map { fractions[$0] }).count == 1, "\(norm.gamma.name)")
            #expect(selection.families.contains { Set(met).isSubset(of: $0) })
        }
        for (number, group) in setting.groups.enumerated() where group.name.hasSuffix(".inner") {
            #expect(selection.families.contains([number]))
        }
        #expect(Set(fractions).count > 2)
    }

    /// With one group there is nothing to keep equal, and nothing ties concatenated axes together.
    @Test func oneGroupTiesNothing() throws {
        let setting = try Setting(Self.configuration([6, 7], groups: 1) { $0.attentionHeadDim = nil })
        #expect(try setting.selection(multiple: 1).families.allSatisfy { $0.count == 1 })
    }

    /// A unit holds the weakest channels of every stretch, not its first.
    @Test func theWeakestOfEachGroupLeave() throws {
        let setting = try Setting(Self.configuration([16, 32], groups: 4))
        let index = try #require(setting.groups.firstIndex { $0.name == "down_blocks.0.resnets.0.inner" })
        var scores = Scores(setting.space, [Double](repeating: 5, count: setting.space.count))
        let weak = [1, 6, 8, 15]
        for channel in weak { scores[index][channel] = 1 }
        let masks = try setting.selection(multiple: 4, quantity: .sparsity).masks(keeping: scores, remaining: 0.9999)
        for (number, mask) in masks.bySite.enumerated() {
            #expect(mask.indices.filter { mask[$0] == 0 } == (number == index ? weak : []))
        }
    }

    /// The last unit to leave is the best of those that left, and with it the cost was still too high.
    @Test(arguments: [0.9, 0.6]) func theBudgetIsMetWithinOneUnit(remaining: Double) throws {
        let setting = try Setting(Self.configuration([16, 32], groups: 4))
        let selection = try setting.selection(multiple: 1)
        let masks = try selection.masks(keeping: setting.scores(), remaining: remaining)
        let allowed = remaining * selection.fullCosts[0]
        #expect(selection.costs[0].value(masks.liveWidths) <= allowed)
        // Without a multiple a family's step is one channel of each of its parts: a quarter of a stretch of four.
        #expect(
            selection.families.contains { family in
                var widths = masks.liveWidths
                for group in family where widths[group] < setting.groups[group].width {
                    widths[group] += setting.groups[group].width / 4
                }
                return selection.costs[0].value(widths) > allowed
            })
    }

    // MARK: widths

    /// 20 and 30 are no multiples of 8, and become some although the budget is met without.
    @Test func widthsThatAreNoMultiplesBecomeSome() throws {
        let setting = try Setting(
            Self.configuration([20, 20], groups: 2) {
                $0.timeEmbeddingDim = 30
                $0.attentionHeadDim = nil
            })
        let masks = try setting.selection(multiple: 8).masks(keeping: setting.scores(), remaining: 0.99)
        let network = try setting.compacted(masks)
        expectEqualGroups(network)
        #expect(network.channelGroups.allSatisfy { $0.width % 8 == 0 })
        let widths = Dictionary(uniqueKeysWithValues: network.channelGroups.map { ($0.name, $0.width) })
        #expect(widths["time_embedding.out"] == 24)
        #expect(widths["down_blocks.1.resnets.0.inner"] == 16)
    }

    /// Where no width can be a multiple, equal groups remain: below the multiple, and where the groups' steps miss it.
    @Test func whereNoWidthCanBeAMultipleEqualGroupsRemain() throws {
        for (width, count) in [(8, 2), (20, 5)] {
            let setting = try Setting(Self.configuration([width, width], groups: count) { $0.attentionHeadDim = nil })
            let masks = try setting.selection(multiple: 16).masks(keeping: setting.scores(), remaining: 0.8)
            let network = try setting.compacted(masks)
            expectEqualGroups(network)
            for group in network.channelGroups where group.name.hasPrefix("time_embedding") {
                #expect(group.width % 16 == 0, "\(group.name)")
            }
            #expect(network.channelGroups.contains { $0.width < $0.originalWidth && $0.width % 16 != 0 })
        }
    }

    @Test func theMinimumFractionStays() throws {
        let setting = try Setting(Self.configuration([16, 32], groups: 4))
        let masks = try setting.selection(multiple: 4, minimumFraction: 0.7).masks(
            keeping: setting.scores(), remaining: 0.65)
        for (width, group) in zip(masks.liveWidths, setting.groups) {
            #expect(Double(width) >= 0.7 * Double(group.width), "\(group.name)")
        }
        expectEqualGroups(try setting.compacted(masks))
    }

    // MARK: what cannot be

    /// Groups of 2 and 3 channels across groups of 5 leave no fraction but the whole.
    @Test func whatCannotShrinkStaysWholeAndIsCounted() throws {
        let setting = try Setting(Self.configuration([8, 12], groups: 4) { $0.attentionHeadDim = nil })
        let selection = try setting.selection(multiple: 1)
        let masks = try selection.masks(keeping: setting.scores(), remaining: 0.9)
        let network = try setting.compacted(masks)
        expectEqualGroups(network)
        let mixed = network.normalizations.filter { Set($0.axis.groups.map(\.originalWidth)) == [8, 12] }
        #expect(!mixed.isEmpty)
        for axis in mixed.flatMap(\.axis.groups) { #expect(axis.width == axis.originalWidth, "\(axis.name)") }
        #expect {
            _ = try selection.masks(keeping: setting.scores(), remaining: 0.1)
        } throws: {
            guard
                case BudgetError.unreachableRegularly(0.1, let minimum, "macs", let whole, let count)? = $0
                    as? BudgetError
            else { return false }
            return minimum > 0.1 && minimum < 0.9 && whole > 0 && whole < count && "\($0)".contains("'regular'")
        }
    }

    /// A model that was pruned by single channels comes back to equal groups, unless one of them has lost everything.
    @Test func unequalGroupsBecomeEqualAgain() throws {
        let dense = try Setting(Self.configuration([16, 32], groups: 4))
        var masks = Masks(dense.space)
        let inner = try #require(dense.groups.firstIndex { $0.name == "down_blocks.0.resnets.0.inner" })
        for channel in [0, 1, 5] { masks[inner][channel] = 0 }
        let ragged = Setting(try dense.compacted(masks))
        #expect(ragged.groups[inner].width == 13)
        let again = try ragged.selection(multiple: 4).masks(keeping: ragged.scores(), remaining: 0.999)
        let network = try ragged.compacted(again)
        expectEqualGroups(network)
        #expect(network.channelGroups[inner].width == 8)

        for channel in 0..<4 { masks[inner][channel] = 0 }
        let empty = Setting(try dense.compacted(masks))
        #expect {
            _ = try empty.selection(multiple: 4)
        } throws: {
            guard case GranularityError.unequalGroups(let axis, 11, 0, 1)? = $0 as? GranularityError else {
                return false
            }
            return axis == "down_blocks.0.resnets.0.inner" && "\($0)".contains(axis)
        }
    }

    /// Rounds: what left in one stays away, and the widths go from one legal set to the next.
    @Test func roundsTakeTheSameUnitsFurther() throws {
        let setting = try Setting(Self.configuration([16, 32], groups: 4))
        let selection = try setting.selection(multiple: 4)
        var scores = setting.scores()
        var last = Masks(setting.space)
        for (round, remaining) in [0.9, 0.7, 0.5].enumerated() {
            let masks = try selection.masks(keeping: scores, remaining: remaining)
            for (group, mask) in masks.bySite.enumerated() {
                for (channel, value) in mask.enumerated() where last[group][channel] == 0 { #expect(value == 0) }
            }
            expectEqualGroups(try setting.compacted(masks))
            // Other scores in the next round, but for what has left.
            scores = setting.scores(seed: UInt64(round + 2))
            for (group, mask) in masks.bySite.enumerated() {
                for (channel, value) in mask.enumerated() where value == 0 { scores[group][channel] = -.infinity }
            }
            last = masks
        }
    }
}
