import Foundation
import Layers
import Models
import Pruning
import Testing

/// Shares of sites that are given, whatever scores say beside each other.
@Suite struct RatioTests {
    private struct Setting {
        let model: UNet
        let space: PruningSpace

        init(_ kind: PruningSpace.Kind = .channels) throws {
            var configuration = TinyUNet.all[0].configuration
            configuration.blockOutChannels = [16, 32]
            configuration.normNumGroups = 4
            model = try UNet(configuration)
            space = .of(kind, in: model)
        }

        /// 1 of the first site, then 0.25, 0.5, 0.75 in turn.
        var ratios: [String: Double] {
            Dictionary(
                uniqueKeysWithValues: space.sites.enumerated().map {
                    ($1.name, $0 == 0 ? 1 : 0.25 * Double(1 + $0 % 3))
                })
        }

        func selection(
            _ ratios: [String: Double], _ target: String? = nil, _ granularity: Granularity = .channel
        ) throws -> Selection {
            let quantity: Budget.Quantity = space.kind == .channels ? .macs : .sparsity
            func selection(_ budget: Budget) throws -> Selection {
                try Selection(
                    space: space, network: model, budget: budget, granularity: granularity, minimumFraction: 0,
                    allocation: .ratios, ratios: SiteRatios(ratios))
            }
            if let target { return try selection(Budget(parsing: target)) }
            let share = try selection(Budget(quantity, 0.5)).shareLeftByRatios()
            return try selection(Budget(quantity, quantity == .sparsity ? 1 - share : share))
        }
    }

    /// Without a target the widths are those of the ratios, and of each site the highest stay.
    @Test(arguments: [1, 2, 3] as [UInt64]) func eachSiteKeepsTheHighestOfItsShare(seed: UInt64) throws {
        let setting = try Setting()
        let selection = try setting.selection(setting.ratios)
        let scores = Scores.random(setting.space, seed: seed)
        let masks = try selection.masks(keeping: scores, remaining: selection.budget.remaining)
        for (site, range) in setting.space.ranges.enumerated() {
            let ratio = try #require(setting.ratios[setting.space.sites[site].name])
            let kept = masks.liveWidths[site]
            #expect(kept == Int((ratio * Double(range.count)).rounded()), "\(setting.space.sites[site].name)")
            let ranked = scores[site].sorted(by: >)
            for (score, mask) in zip(scores[site], masks[site]) { #expect((mask == 1) == (score >= ranked[kept - 1])) }
        }
    }

    @Test(arguments: ["macs=0.6", "macs=0.3", "params=0.5"]) func aTargetScalesWhatLeaves(target: String) throws {
        let setting = try Setting()
        let selection = try setting.selection(setting.ratios, target)
        let masks = try selection.masks(keeping: .random(setting.space), remaining: selection.budget.remaining)
        let left = selection.costs[0].value(masks.liveWidths) / selection.fullCosts[0]
        #expect(left <= selection.budget.remaining && left > selection.budget.remaining - 0.08)
        // What has ratio 1 stays whole; what is to lose more has lost at least as much.
        #expect(masks.liveWidths[0] == setting.space.widths[0])
        let shares = zip(masks.liveWidths, setting.space.widths).map { Double($0) / Double($1) }
        let ratios = setting.space.sites.compactMap { setting.ratios[$0.name] }
        for (a, b) in zip(zip(shares, ratios), zip(shares, ratios).dropFirst()) where a.1 < b.1 {
            #expect(a.0 < b.0 + 0.13, "\(a) \(b)")
        }
    }

    @Test func singleWeightsKeepTheShareOfTheirMatrix() throws {
        let setting = try Setting(.weights)
        let selection = try setting.selection(setting.ratios, nil, .weight)
        let masks = try selection.masks(keeping: .random(setting.space), remaining: selection.budget.remaining)
        for (site, kept) in masks.liveWidths.enumerated() {
            let wanted = (setting.ratios[setting.space.sites[site].name] ?? 0) * Double(setting.space.widths[site])
            #expect(abs(Double(kept) - wanted) <= 1.5, "\(setting.space.sites[site].name)")
        }
    }

    @Test(arguments: [0, -0.5, 1.01, .nan, .infinity]) func sharesLieAboveZeroAndNotAboveOne(share: Double) {
        #expect { try SiteRatios(["a": 0.5, "b": share]) } throws: {
            guard case RatioError.outOfRange("b", _)? = $0 as? RatioError else { return false }
            return "\($0)".contains("expected in (0, 1]")
        }
    }

    @Test func namesThatAreMissingOrUnknownAreRefused() throws {
        let setting = try Setting()
        var ratios = setting.ratios
        let name = setting.space.sites[1].name
        ratios[name] = nil
        #expect { _ = try setting.selection(ratios) } throws: {
            guard case RatioError.missing(name, 0, _)? = $0 as? RatioError else { return false }
            return "\($0)".contains("lack the channel group '\(name)'")
        }
        ratios[name + "x"] = 0.5
        #expect { _ = try setting.selection(ratios) } throws: { "\($0)".contains("did you mean '\(name)'?") }
        #expect(throws: RatioError.self) { try setting.selection(setting.ratios.mapValues { _ in 1 }) }
        for granularity in [Granularity.regular(multiple: 2), .level, .layer] {
            #expect(throws: RatioError.self) { try setting.selection(setting.ratios, "macs=0.5", granularity) }
        }
    }

    /// A budget below what the sites of ratio 1 cost cannot be met by the others.
    @Test func whatIsToStayWholeIsNotTaken() throws {
        let setting = try Setting()
        var ratios = setting.ratios.mapValues { _ in 1.0 }
        ratios[setting.space.sites[1].name] = 0.5
        #expect(throws: BudgetError.self) { try setting.selection(ratios, "macs=0.1").checkReachable() }
        try setting.selection(ratios).checkReachable()
    }
}
