import Layers
import Pruning
import TensorCore
import TestSupport
import Testing

/// What leaves together, where no U-Net is needed to see it.
@Suite struct PartitionTests {
    private func network(inputs: Int) throws -> ChainNetwork {
        var shape = ChainNetwork.Shape()
        shape.inputs = inputs
        return try ChainNetwork(shape)
    }

    private func selection(_ network: ChainNetwork, _ keep: Int, _ size: Int) throws -> Selection {
        try Selection(
            space: .weights(of: network), network: network, budget: Budget(.sparsity, 1 - Double(keep) / Double(size)),
            granularity: .pattern(keep: keep, of: size), minimumFraction: 0)
    }

    /// Of every M neighbouring inputs of an output the N best, of what is left over at the end at most N.
    @Test(arguments: [(2, 4), (1, 4), (3, 8), (1, 2), (5, 7), (1, 64)], [6, 7, 8])
    func patternsHoldWhereInputsAreNoMultiple(pattern: (keep: Int, of: Int), inputs: Int) throws {
        let network = try network(inputs: inputs)
        let selection = try selection(network, pattern.keep, pattern.of)
        let scores = Scores.random(selection.space)
        let masks = try selection.masks(keeping: scores, remaining: selection.budget.remaining)
        let widths = [(inputs, 8), (8, 12), (12, 4)]
        for (range, (from, to)) in zip(selection.space.ranges, widths) {
            for output in 0..<to {
                for start in stride(from: 0, to: from, by: pattern.of) {
                    let members = (start..<min(start + pattern.of, from)).map { range.lowerBound + $0 * to + output }
                    let best = members.sorted { scores.values[$0] > scores.values[$1] }
                    #expect(best.map { masks.values[$0] == 1 } == best.indices.map { $0 < pattern.keep })
                }
            }
        }
    }

    /// On the way of a gradual schedule more of every class stay, never fewer than at the end.
    @Test(arguments: [(1.0, 4), (0.99, 4), (0.76, 4), (0.75, 3), (0.51, 3), (0.5, 2), (0.4, 2)])
    func patternsAreReachedStepByStep(remaining: Double, kept: Int) throws {
        let network = try network(inputs: 8)
        let selection = try selection(network, 2, 4)
        let masks = try selection.masks(keeping: .random(selection.space), remaining: remaining)
        #expect(masks.values.count { $0 == 1 } == selection.space.count * kept / 4)
    }

    @Test func taps() throws {
        let model = try TinyUNet.named("one level").model()
        let space = PruningSpace.weights(of: model)
        let selection = try Selection(
            space: space, network: model, budget: Budget(.sparsity, 0.5), granularity: .pattern(keep: 2, of: 4),
            minimumFraction: 0)
        let masks = try selection.masks(keeping: .random(space), remaining: 0.5)
        let site = try #require(space.sites.firstIndex { $0.name == "mid_block.resnets.0.conv1.weight" })
        // [3, 3, 8, 8] here: inputs are the third dimension, each tap and each output on its own.
        for tap in 0..<9 {
            for output in 0..<8 {
                for start in [0, 4] {
                    #expect((start..<start + 4).count { masks[site][(tap * 8 + $0) * 8 + output] == 1 } == 2)
                }
            }
        }
    }

    @Test(arguments: [(0, 4), (4, 4), (5, 4), (2, 65), (-1, 2)]) func patternsThatAreNoneAreRefused(
        keep: Int, of size: Int
    ) throws {
        #expect {
            _ = try selection(network(inputs: 8), keep, size)
        } throws: {
            $0 is GranularityError && "\($0)".contains("\(keep):\(size)") || $0 is BudgetError
        }
    }

    @Test func aPatternHasItsOwnSparsity() throws {
        let network = try network(inputs: 8)
        #expect {
            _ = try Selection(
                space: .weights(of: network), network: network, budget: Budget(.sparsity, 0.6),
                granularity: .pattern(keep: 2, of: 4), minimumFraction: 0)
        } throws: {
            guard case BudgetError.patternHasItsOwn(_, "2:4", 0.5)? = $0 as? BudgetError else { return false }
            return "\($0)".contains("sparsity=0.5") && "\($0)".contains("0.6")
        }
    }

    @Test func granularitiesKnowTheirSpace() {
        let channels: [Granularity] = [
            .channel, .block(2), .head, .aligned(multiple: 2), .regular(multiple: 2), .level, .layer,
        ]
        #expect(channels.allSatisfy { $0.space == .channels })
        #expect(Granularity.weight.space == .weights && Granularity.pattern(keep: 1, of: 2).space == .weights)
    }

    // MARK: depth

    /// Two residual branches and a hidden layer: what leaves are branches, whole.
    private final class Branches: ChannelNetwork {
        let channelGroups: [ChannelGroup]
        let parameters: [Parameter]
        let computeTerms: [ComputeTerm]
        let normalizations: [any ChannelNormalization] = []

        init() throws {
            let builder = ChannelAxisBuilder()
            let (input, output) = (ChannelAxis.fixed("input", width: 4), ChannelAxis.fixed("output", width: 4))
            let hidden = try builder.axis("hidden", width: 6)
            var layers = [Linear("in", from: input, to: hidden), Linear("out", from: hidden, to: output)]
            for (index, width) in [10, 4].enumerated() {
                let branch = try builder.axis("branch.\(index)", width: width, isRemovable: true)
                layers += [
                    Linear("up.\(index)", from: hidden, to: branch), Linear("down.\(index)", from: branch, to: hidden),
                ]
            }
            channelGroups = builder.groups
            parameters = layers.flatMap(\.parameters)
            computeTerms = layers.map { $0.computeTerm(rows: 1) }
        }

        func rebuilt(keeping kept: [String: [Int]]) throws -> Branches { try Branches() }
    }

    @Test func wholeBranchesLeaveAndTheRestStays() throws {
        let network = try Branches()
        let space = PruningSpace.channels(of: network)
        #expect(space.widths == [6, 10, 4])
        let selection = try Selection(
            space: space, network: network, budget: Budget(.macs, 0.6), granularity: .layer, minimumFraction: 0.5)
        var scores = Scores(space, [Double](repeating: 1, count: 20))
        // The wide branch's mean is lower, although its best channel is the best of all.
        scores[1] = [9] + [Double](repeating: 0, count: 9)
        // 48 + 2·60 + 2·24 = 216 MACs: without the wide branch 96.
        let masks = try selection.masks(keeping: scores, remaining: 0.6)
        #expect(masks.liveWidths == [6, 0, 4])
        // The narrow one frees too little, whatever it is worth, and then both leave but for what fits again.
        scores[2] = [Double](repeating: -1, count: 4)
        #expect(try selection.masks(keeping: scores, remaining: 0.6).liveWidths == [6, 0, 4])
        #expect(try selection.masks(keeping: scores, remaining: 0.8).liveWidths == [6, 10, 0])
        #expect(try selection.masks(keeping: scores, remaining: 0.3).liveWidths == [6, 0, 0])
        #expect(throws: BudgetError.self) { _ = try selection.masks(keeping: scores, remaining: 0.2) }
    }

    @Test func aNetworkWithoutBranchesIsRefused() throws {
        let network = try network(inputs: 6)
        #expect {
            _ = try Selection(
                space: .channels(of: network), network: network, budget: Budget(.macs, 0.5), granularity: .layer,
                minimumFraction: 0)
        } throws: {
            $0 is GranularityError && "\($0)".contains("'layer'")
        }
    }
}
