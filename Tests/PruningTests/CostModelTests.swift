import Pruning
import Testing

/// Costs are functions of widths; the networks themselves are the oracle.
@Suite struct CostModelTests {
    @Test(arguments: TinyUNet.all) func costsAreThoseOfTheNetworkBuiltAtThoseWidths(tiny: TinyUNet) throws {
        let model = try tiny.model()
        let groups = PrunableGroup.all(of: model)
        let (macs, parameters, channels) = (
            CostModel(.macs, of: model, groups: groups), CostModel(.parameters, of: model, groups: groups),
            CostModel(.channels, of: model, groups: groups)
        )
        #expect(macs.groupCount == groups.count)
        for seed in 0...4 as ClosedRange<UInt64> {
            let masks = seed == 0 ? MaskSet(keepingAllOf: groups) : MaskSet.random(groups, seed: seed)
            let network = try model.rebuilt(keeping: masks.kept(groups))
            let widths = masks.liveWidths
            // sums of whole numbers below 2⁵³ are exact
            #expect(macs.cost(widths) == network.macs)
            #expect(parameters.cost(widths) == Double(network.parameterCount))
            #expect(channels.cost(widths) == Double(widths.reduce(0, +)))
            #expect(network.parameterCount == network.parameters.reduce(0) { $0 + $1.variable.value.array.count })
        }
    }

    @Test(arguments: TinyUNet.all, CostKind.allCases) func marginalCostsAreDifferences(tiny: TinyUNet, kind: CostKind)
        throws
    {
        let model = try tiny.model()
        let groups = PrunableGroup.all(of: model)
        let cost = CostModel(kind, of: model, groups: groups)
        let widths = MaskSet.random(groups, seed: 9).softWidths.map { $0 + 0.25 }
        let marginal = cost.marginalCosts(widths)
        for index in groups.indices {
            var (more, less) = (widths, widths)
            more[index] += 1
            less[index] -= 1
            // Products of at most two widths: the central difference is exact but for rounding.
            let difference = (cost.cost(more) - cost.cost(less)) / 2
            #expect(abs(marginal[index] - difference) <= 1e-9 * abs(difference), "\(groups[index].name)")
            #expect(difference > 0)
        }
    }

    /// k²·H·W·Cin·Cout and friends, added up by hand for a network of one level.
    @Test func macsOfASmallNetworkAreThoseCountedByHand() throws {
        let model = try TinyUNet.named("one level").model()
        let pixels = 64.0
        let resnet = { (input: Double) in
            9 * pixels * input * 8 + 32 * 8 + 9 * pixels * 8 * 8 + (input == 8 ? 0 : pixels * input * 8)
        }
        let attention = 4 * pixels * 8 * 8 + 2 * pixels * pixels * 8
        let time = 8.0 * 32 + 32 * 32
        let ends = 9 * pixels * 2 * 8 + 9 * pixels * 8 * 2
        #expect(model.macs == time + ends + resnet(8) + (2 * resnet(8) + attention) + 2 * resnet(16))
    }

    /// The 1×1 convolutions that read the small image and the 3×3 ones that draw it count; filtering does not, as no
    /// resampling does.
    @Test func macsOfAnImagePyramidAreThoseCountedByHand() throws {
        let model = try TinyUNet.named("an image pyramid").model()
        let (large, small) = (64.0, 16.0)
        let resnet = { (input: Double, output: Double, pixels: Double) in
            9 * pixels * (input * output + output * output) + 32 * output + pixels * input * output
        }
        let withoutShortcut = { (width: Double, pixels: Double) in 18 * pixels * width * width + 32 * width }
        let time = 16.0 * 32 + 32 * 32
        let ends = 9 * large * 3 * 8 + 9 * large * 8 * 3
        let down = withoutShortcut(8, large) + resnet(8, 8, small) + small * 3 * 8 + resnet(8, 12, small)
        let attention = 4 * small * 12 * 12 + 2 * small * small * 12
        let middle = 2 * withoutShortcut(12, small) + attention
        let up =
            resnet(24, 12, small) + resnet(20, 12, small) + 9 * small * 12 * 3 + resnet(12, 12, large)
            + resnet(20, 8, large) + resnet(16, 8, large)
        #expect(model.macs == time + ends + down + middle + up)
    }
}
