import Layers
import TestSupport
import Testing

@testable import Pruning

/// Where what leaves is taken from.
@Suite struct AllocationTests {
    private let network: ChainNetwork

    init() throws { network = try ChainTask.network() }

    private func selection(
        _ target: String, _ granularity: Granularity, _ allocation: Allocation, comparesRows: Bool = false,
        minimumFraction: Double = 0
    ) throws -> Selection {
        let space = PruningSpace.of(granularity.space, in: network)
        return try Selection(
            space: space, network: network, budget: Budget(parsing: target), granularity: granularity,
            minimumFraction: minimumFraction, allocation: allocation, comparesRows: comparesRows)
    }

    private func masks(_ selection: Selection, seed: UInt64 = 1) throws -> (scores: Scores, masks: Masks) {
        let scores = Scores.random(selection.space, seed: seed)
        return (scores, try selection.masks(keeping: scores, remaining: selection.budget.remaining))
    }

    /// What stays within `members` is worth more than what leaves.
    private func expectHighest(
        _ scores: Scores, _ masks: Masks, _ members: [Int], kept: Int, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let order = members.sorted { scores.values[$0] > scores.values[$1] }
        #expect(order.map { masks.values[$0] == 1 } == order.indices.map { $0 < kept }, sourceLocation: sourceLocation)
    }

    // MARK: Erdős–Rényi

    /// Σ/Π of the dimensions: 20/100, 8/16 and 5/6, so that ε = 122·density/33 while no layer is whole.
    @Test func densitiesAreThoseWorkedOutByHand() {
        let shapes = [[10, 10], [4, 4], [2, 3]]
        func expectClose(_ density: Double, _ expected: [Double], sourceLocation: SourceLocation = #_sourceLocation) {
            let got = ErdosRenyi.densities(of: shapes, density: density)
            #expect(zip(got, expected).allSatisfy { close($0, $1, 1e-12) }, "\(got)", sourceLocation: sourceLocation)
        }
        expectClose(0.25, [0.2, 0.5, 5.0 / 6].map { $0 * 30.5 / 33 })
        // 61/33 · 5/6 is more than whole; the others share 55 of 116.
        expectClose(0.5, [0.2 * 55 / 28, 0.5 * 55 / 28, 1])
        // With 73.2 the second would be whole as well once the third is.
        expectClose(0.6, [0.2 * 51.2 / 20, 1, 1])
        expectClose(1, [1, 1, 1])
    }

    /// Kernels count as dimensions: (3 + 3 + 4 + 8)/288 and (8 + 4)/32.
    @Test func kernelsAreDimensionsToo() {
        let got = ErdosRenyi.densities(of: [[3, 3, 4, 8], [8, 4]], density: 0.1)
        #expect(close(got[0], 18.0 / 288 * 32 / 30, 1e-12) && close(got[1], 12.0 / 32 * 32 / 30, 1e-12))
    }

    @Test(arguments: [0.01, 0.1, 0.3, 0.5, 0.8, 0.95]) func theyAddUpToWhatIsAsked(density: Double) throws {
        for shapes in [[[6, 8], [8, 12], [12, 4]], [[3, 3, 8, 16], [3, 3, 1, 8], [64, 10], [10, 10]]] {
            let densities = ErdosRenyi.densities(of: shapes, density: density)
            let counts = shapes.map { Double($0.reduce(1, *)) }
            let kept = zip(densities, counts).reduce(0) { $0 + $1.0 * $1.1 }
            #expect(close(kept, density * counts.reduce(0, +), 1e-9))
            #expect(densities.allSatisfy { $0 > 0 && $0 <= 1 })
        }
    }

    /// 57 of the chain's 48 + 96 + 48 weights: ε = 57.6/50 times 14/48, 20/96 and 16/48 gives 16.1, 23.04, 18.4.
    @Test func weightsAreTakenByTheRule() throws {
        let selection = try selection("sparsity=0.7", .weight, .erdosRenyi)
        let (scores, masks) = try masks(selection)
        #expect(masks.liveWidths == [16, 23, 18])
        for (range, kept) in zip(selection.space.ranges, [16, 23, 18]) {
            expectHighest(scores, masks, Array(range), kept: kept)
        }
    }

    // MARK: layer-adaptive

    /// 1, 2, 3 and 4 with 10, 9, 7 and 4 left of 10; what is below 0 counts for nothing and leaves first.
    @Test func scoresAreThoseWorkedOutByHand() {
        let got = LayerAdaptive.scores(
            [3, 1, 4, 2, 5, -2, 5, -Double.infinity], weights: Array(repeating: 1, count: 8),
            sites: [[0, 1, 2, 3], [4, 5, 6, 7]])
        let expected: [Double] = [30.0 / 7, 1, 10, 20.0 / 9, 5, -2, 10, -.infinity]
        #expect(zip(got, expected).allSatisfy { $0 == $1 || close($0, $1, 1e-12) }, "\(got)")
        // Layers that matter less beside each other: sums of 10 and 5 count by their roots, or alike.
        let scores: [Double] = [3, 1, 4, 2, 5]
        for (exponent, factors) in [(0.5, [10.squareRoot(), 5.squareRoot()]), (0, [1, 1])] {
            let got = LayerAdaptive.scores(
                scores, weights: [1, 1, 1, 1, 1], sites: [[0, 1, 2, 3], [4]], exponent: exponent)
            let shares: [Double] = [3.0 / 7, 0.1, 1, 2.0 / 9, 1]
            let expected = zip(shares, [0, 0, 0, 0, 1]).map { $0 * factors[$1] }
            #expect(zip(got, expected).allSatisfy { close($0, $1, 1e-12) }, "\(got)")
        }
        // By what units are worth, not by what they are worth for their price.
        let priced = LayerAdaptive.scores([1, 1], weights: [3, 1], sites: [[0, 1]])
        #expect(priced == [1, 4])
    }

    /// The lowest of each layer leave; what is all of a layer stays however little it is worth beside others.
    @Test(arguments: [Granularity.weight, .channel]) func lowScoresEmptyNoLayer(granularity: Granularity) throws {
        let plain = try selection("sparsity=0.5", granularity, .global)
        let adaptive = try selection("sparsity=0.5", granularity, .layerAdaptive)
        var scores = Scores.random(plain.space, seed: 3)
        for index in scores.values.indices { scores.values[index] = 1 + 0.1 * scores.values[index] }
        let low = plain.space.ranges[0]
        for index in low { scores.values[index] *= 0.6 }
        let (emptied, kept) = (
            try plain.masks(keeping: scores, remaining: 0.5), try adaptive.masks(keeping: scores, remaining: 0.5)
        )
        #expect(emptied.liveWidths[0] == 1 && kept.liveWidths[0] > max(1, low.count / 8))
        #expect(emptied.liveWidths.reduce(0, +) == kept.liveWidths.reduce(0, +))
        for (range, width) in zip(plain.space.ranges, kept.liveWidths) {
            expectHighest(scores, kept, Array(range), kept: width)
        }
    }

    // MARK: uniform

    /// 14.4, 28.8 and 14.4 add up to 57: the largest remainder is rounded up.
    @Test func weightsAreTakenEvenly() throws {
        let selection = try selection("sparsity=0.7", .weight, .uniform)
        let (scores, masks) = try masks(selection)
        #expect(masks.liveWidths == [14, 29, 14])
        for (range, kept) in zip(selection.space.ranges, [14, 29, 14]) {
            expectHighest(scores, masks, Array(range), kept: kept)
        }
    }

    /// Half of 8 + 12 channels.
    @Test func channelsAreTakenEvenly() throws {
        let selection = try selection("sparsity=0.5", .channel, .uniform)
        let (scores, masks) = try masks(selection)
        #expect(masks.liveWidths == [4, 6])
        expectHighest(scores, masks, Array(0..<8), kept: 4)
        expectHighest(scores, masks, Array(8..<20), kept: 6)
    }

    /// The largest share of every axis that the budget allows, and of what is left of it one more channel each.
    @Test(arguments: ["macs=0.3", "macs=0.55", "params=0.8", "macs=0.7,params=0.5"]) func theShareIsTheLargest(
        target: String
    ) throws {
        let selection = try selection(target, .channel, .uniform)
        let (_, masks) = try masks(selection)
        func holds(_ widths: [Int]) -> Bool {
            zip(selection.costs, zip(selection.budget.limits, selection.fullCosts))
                .allSatisfy { $0.value(widths) <= $1.0.remaining * $1.1 * (1 + 1e-12) }
        }
        // Floors of the same share: some t with ⌊8t⌋ and ⌊12t⌋ channels.
        let legal = (1...24).map { [max(1, 8 * $0 / 24), max(1, 12 * $0 / 24)] }
        let share = try #require(legal.last { holds($0) })
        #expect(zip(masks.liveWidths, share).allSatisfy { (0...1).contains($0 - $1) })
        #expect(holds(masks.liveWidths))
        for site in share.indices where masks.liveWidths[site] == share[site] {
            var wider = masks.liveWidths
            wider[site] += 1
            #expect(!holds(wider), "one more of \(site) would fit")
        }
    }

    @Test func everyAxisKeepsItsMinimum() throws {
        let selection = try selection("macs=0.3", .channel, .uniform, minimumFraction: 0.3)
        let (_, masks) = try masks(selection)
        #expect(masks.liveWidths[0] >= 3 && masks.liveWidths[1] >= 4)
        #expect(throws: BudgetError.self) {
            _ = try selection.masks(keeping: .random(selection.space), remaining: 0.05)
        }
    }

    @Test func blocksAreTakenEvenlyAndWhole() throws {
        let selection = try selection("sparsity=0.5", .block(4), .uniform)
        let (_, masks) = try masks(selection)
        // Of 2 and 3 blocks the same share, so that at most 10 channels are left.
        #expect(masks.liveWidths == [4, 4])
    }

    /// What left before stays away, whatever it is worth beside the rest of its unit. Taking from normalisation groups
    /// in turn does not quite keep to the order of scores.
    @Test(arguments: [Granularity.channel, .aligned(multiple: 1), .aligned(multiple: 2), .block(2)])
    func whatHasLeftStaysAway(granularity: Granularity) throws {
        let model = try TinyUNet.all[0].model()
        let selection = try Selection(
            space: .channels(of: model), network: model, budget: Budget(.sparsity, 0.4), granularity: granularity,
            minimumFraction: 0, allocation: .uniform)
        // All that left is of one normalisation group.
        var first = Masks(selection.space)
        for site in selection.space.sites.indices { first[site].replaceSubrange(0..<3, with: [0, 0, 0]) }
        for seed in 1...5 as ClosedRange<UInt64> {
            let again = Scores.random(selection.space, seed: seed).withoutRemoved(of: first)
            for remaining in [1, 0.6, 0.5] {
                let next = try selection.masks(keeping: again, remaining: remaining)
                #expect(zip(first.values, next.values).allSatisfy { $1 <= $0 }, "\(remaining)")
            }
        }
    }

    // MARK: single weights

    @Test(arguments: [0.05, 0.3, 0.62, 0.97]) func theHighestOfAllLayersStay(sparsity: Double) throws {
        let selection = try selection("sparsity=\(sparsity)", .weight, .global)
        let (scores, masks) = try masks(selection)
        let kept = Int((192 * (1 - sparsity) + 1e-9).rounded(.down))
        #expect(masks.isBinary && masks.values.count { $0 == 1 } == kept)
        // The best of each layer stays in any case.
        let best = selection.space.ranges.compactMap { $0.max { scores.values[$0] < scores.values[$1] } }
        let others = (0..<192).filter { !best.contains($0) }
        expectHighest(scores, masks, others, kept: kept - 3)
        #expect(best.allSatisfy { masks.values[$0] == 1 })
    }

    @Test func equalScoresLeaveByPosition() throws {
        let selection = try selection("sparsity=0.5", .weight, .global)
        let equal = Scores(selection.space, [Double](repeating: 2, count: 192))
        let masks = try selection.masks(keeping: equal, remaining: 0.5)
        // The first of each layer is its best.
        let firsts = selection.space.ranges.map(\.lowerBound)
        let others = (0..<192).filter { !firsts.contains($0) }
        #expect(others.filter { masks.values[$0] == 0 } == Array(others.prefix(96)))
    }

    /// 8 rows of 6, 12 of 8 and 4 of 12 keep 2.7, 3.6 and 5.4 of theirs, 86 in all: those of the largest remainders
    /// round up, the first of equal ones first.
    @Test func rowsKeepTheSameShare() throws {
        let selection = try selection("sparsity=0.55", .weight, .global, comparesRows: true)
        let (scores, masks) = try masks(selection)
        #expect(masks.values.count { $0 == 1 } == 86)
        let quotas = [Array(repeating: 3, count: 8), [4, 4, 4, 4, 4, 4, 3, 3, 3, 3, 3, 3], [5, 5, 5, 5]]
        for (layer, range) in selection.space.ranges.enumerated() {
            let outputs = quotas[layer].count
            for (output, kept) in quotas[layer].enumerated() {
                let row = range.filter { ($0 - range.lowerBound) % outputs == output }
                expectHighest(scores, masks, row, kept: kept)
            }
        }
    }

    /// From round to round quotas fall, and by their rounding now and then rise: what has left stays away,
    /// and the count is the one asked for.
    @Test(arguments: [Allocation.global, .layerAdaptive, .uniform, .erdosRenyi], [false, true])
    func roundsTakeWeightsFurther(
        allocation: Allocation, comparesRows: Bool
    ) throws {
        let selection = try selection("sparsity=0.9", .weight, allocation, comparesRows: comparesRows)
        var last = Masks(selection.space)
        for round in 1...60 {
            let remaining = 1 - 0.015 * Double(round)
            let scores = Scores.random(selection.space, seed: UInt64(round)).withoutRemoved(of: last)
            let masks = try selection.masks(keeping: scores, remaining: remaining)
            #expect(zip(last.values, masks.values).allSatisfy { $1 <= $0 }, "round \(round)")
            let kept = Int((192 * remaining + 1e-9).rounded(.down))
            #expect(masks.values.count { $0 == 1 } == kept, "round \(round)")
            #expect(masks.liveWidths.allSatisfy { $0 >= 1 })
            last = masks
        }
        // Nothing more is asked for: nothing comes back.
        let same = try selection.masks(
            keeping: Scores.random(selection.space, seed: 99).withoutRemoved(of: last), remaining: 1)
        #expect(same == last)
    }

    @Test(arguments: [Allocation.global, .uniform, .erdosRenyi]) func lessThanAWeightALayerIsRefused(
        allocation: Allocation
    ) throws {
        for comparesRows in [false, true] {
            let selection = try selection("sparsity=0.9", .weight, allocation, comparesRows: comparesRows)
            let scores = Scores.random(selection.space)
            #expect(try selection.masks(keeping: scores, remaining: 3.5 / 192).liveWidths == [1, 1, 1])
            #expect {
                _ = try selection.masks(keeping: scores, remaining: 2.5 / 192)
            } throws: {
                guard case BudgetError.unreachable(_, let minimum, "sparsity")? = $0 as? BudgetError else {
                    return false
                }
                return close(minimum, 3.0 / 192, 1e-12)
            }
        }
    }

    // MARK: what cannot be

    @Test func whatDoesNotGoWithAnAllocationIsRefused() throws {
        #expect {
            _ = try selection("macs=0.5", .channel, .erdosRenyi)
        } throws: {
            $0 is AllocationError && "\($0)".contains("'erdos-renyi'")
        }
        let model = try TinyUNet.named("normalisation groups that straddle a concatenation").model()
        #expect {
            _ = try Selection(
                space: .channels(of: model), network: model, budget: Budget(.macs, 0.5),
                granularity: .regular(multiple: 1), minimumFraction: 0, allocation: .uniform)
        } throws: {
            $0 is AllocationError && "\($0)".contains("'uniform'") && "\($0)".contains("together")
        }
    }
}
