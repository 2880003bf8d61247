import Foundation
import Pruning
import Testing

@Suite struct MaskSetTests {
    @Test func widthsCountMasksHardAndSoft() {
        let masks = MaskSet(values: [[1, 0, 0.5], [0, 0.25]])
        #expect(masks.liveWidths == [2, 1])
        #expect(masks.softWidths == [1.5, 0.25])
        #expect(!masks.isBinary)
        #expect(MaskSet(values: [[1, 0], [0, 1]]).isBinary)
    }

    @Test func masksSurviveJSONBitForBit() throws {
        let values: [Float] = [0.1, 1 / 3, 1e-30, 0.99999994, .leastNonzeroMagnitude, 1, 0]
        let masks = MaskSet(values: [values])
        let back = try JSONDecoder().decode(MaskSet.self, from: JSONEncoder().encode(masks))
        #expect(back.values[0].map(\.bitPattern) == values.map(\.bitPattern))
    }

    /// All gates at one are no gates at all.
    @Test(arguments: TinyUNet.all) func aFullMaskLeavesTheModelAsItIs(tiny: TinyUNet) throws {
        let model = try tiny.model()
        let plain = tiny.output(of: model)
        let groups = PrunableGroup.all(of: model)
        MaskSet(keepingAllOf: groups).install(on: groups, trainable: false)
        #expect(relativeDifference(plain, tiny.output(of: model)) <= 1e-6)
        MaskSet.removeGates(from: groups)
        #expect(tiny.output(of: model) == plain)
    }
}
