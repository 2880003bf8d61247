import Pruning
import PruningMethods
import TensorCore
import Testing

@Suite struct DepthTests {
    /// What the loss rises by without a block is what it is of the network that was made without it.
    @Test func aBlocksScoreIsTheRiseOfTheLossWithoutIt() throws {
        let bench = try Bench()
        let masks = Masks(bench.space(.channels))
        let scores = try Depth(NoConfiguration(), seed: 1).scores(
            at: masks, from: bench.evidence(declared: Depth.needs))
        let dense = try bench.meanLoss(of: bench.model)
        var blocks = 0
        for (site, group) in masks.space.groups.enumerated() {
            guard group.axis.isRemovable else {
                #expect(scores[site].allSatisfy { $0 == 0 })
                continue
            }
            blocks += 1
            var without = masks
            without[site] = without[site].map { _ in 0 }
            let compacted = try Compaction(bench.model, masks: without).network
            let rise = try bench.meanLoss(of: compacted) - dense
            #expect(abs(scores[site].reduce(0, +) - rise) <= 1e-5 * dense, "\(group.name)")
            #expect(Set(scores[site]).count == 1)
        }
        #expect(blocks > 4)
    }

    /// In rounds blocks are judged without those that have left.
    @Test func aBlockThatHasLeftScoresNothing() throws {
        let bench = try Bench()
        var masks = Masks(bench.space(.channels))
        let site = try #require(masks.space.groups.firstIndex { $0.axis.isRemovable })
        masks[site] = masks[site].map { _ in 0 }
        let scores = try Depth(NoConfiguration(), seed: 1).scores(at: masks, from: bench.evidence())
        #expect(scores[site].allSatisfy { $0 == 0 } && scores.values.contains { $0 != 0 })
    }
}
