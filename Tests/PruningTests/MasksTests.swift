import Foundation
import Pruning
import Testing

@Suite struct MasksTests {
    @Test func widthsCountMasksHardAndSoft() throws {
        let space = PruningSpace.channels(of: try TinyUNet.named("one level").model())
        var masks = Masks(space)
        #expect(masks.isBinary && masks.liveWidths == space.widths)
        (masks[0][0], masks[0][1], masks[1][2]) = (0, 0.5, 0.25)
        #expect(masks.liveWidths.prefix(2) == [space.widths[0] - 1, space.widths[1]])
        #expect(masks.softWidths.prefix(2) == [Double(space.widths[0]) - 1.5, Double(space.widths[1]) - 0.75])
        #expect(masks.liveWidths.dropFirst(2) == space.widths.dropFirst(2))
        #expect(!masks.isBinary)
        (masks[0][1], masks[1][2]) = (1, 0)
        #expect(masks.isBinary)
    }

    @Test func sitesAreStretchesOfOneArray() throws {
        let space = PruningSpace.channels(of: try TinyUNet.all[0].model())
        var masks = Masks(space)
        for index in masks.values.indices { masks.values[index] = Float(index) / Float(space.count) }
        #expect(masks.bySite.flatMap { $0 } == masks.values && masks.bySite.map(\.count) == space.widths)
        #expect(Masks(space, bySite: masks.bySite) == masks)
        let start = space.ranges[2].lowerBound
        masks[2] = masks[2].map { _ in 0 }
        #expect(masks.values[start] == 0 && masks.values[start - 1] != 0)
        #expect(masks.values[space.ranges[2].upperBound] != 0)
    }

    /// Masks of another space are other masks, whatever their values.
    @Test func equalMasksAreOfOneSpace() throws {
        let model = try TinyUNet.all[0].model()
        let space = PruningSpace.channels(of: model)
        #expect(Masks(space) == Masks(space))
        #expect(Masks(space) != Masks(.channels(of: model)))
    }

    /// All gates at one are no gates at all.
    @Test(arguments: TinyUNet.all) func aFullMaskLeavesTheModelAsItIs(tiny: TinyUNet) throws {
        let model = try tiny.model()
        let plain = tiny.output(of: model)
        let masks = Masks(.channels(of: model))
        #expect(masks.applied { tiny.output(of: model) } == plain)
        let gated = masks.applied(trainable: true) { _ in tiny.output(of: model) }
        #expect(relativeDifference(plain, gated) <= 1e-6)
        #expect(tiny.output(of: model) == plain)
    }
}
