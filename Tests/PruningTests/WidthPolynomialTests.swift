import Pruning
import Testing

/// Costs are functions of widths; the networks themselves are the oracle.
@Suite struct WidthPolynomialTests {
    static let kinds = [CostKind.macs, .parameters, .channels]

    @Test(arguments: TinyUNet.all) func costsAreThoseOfTheNetworkBuiltAtThoseWidths(tiny: TinyUNet) throws {
        let model = try tiny.model()
        let space = PruningSpace.channels(of: model)
        let costs = Self.kinds.map { WidthPolynomial($0, of: model, space: space) }
        #expect(costs.map(\.kind) == Self.kinds)
        for seed in 0...4 as ClosedRange<UInt64> {
            let masks = seed == 0 ? Masks(space) : Masks.random(space, seed: seed)
            let network = try model.rebuilt(keeping: masks.kept)
            let widths = masks.liveWidths
            // sums of whole numbers below 2⁵³ are exact
            #expect(
                costs.map { $0.value(widths) }
                    == [network.macs, Double(network.parameterCount), Double(widths.reduce(0, +))])
            #expect(network.parameterCount == network.parameters.reduce(0) { $0 + $1.variable.value.array.count })
        }
    }

    @Test(arguments: TinyUNet.all, kinds) func slopesAreDifferences(tiny: TinyUNet, kind: CostKind) throws {
        let model = try tiny.model()
        let space = PruningSpace.channels(of: model)
        let cost = WidthPolynomial(kind, of: model, space: space)
        let widths = Masks.random(space, seed: 9).softWidths.map { $0 + 0.25 }
        let slopes = cost.slopes(widths)
        #expect(slopes.count == space.sites.count)
        for index in space.sites.indices {
            var (more, less) = (widths, widths)
            more[index] += 1
            less[index] -= 1
            // Products of at most two widths: the central difference is exact but for rounding.
            let difference = (cost.value(more) - cost.value(less)) / 2
            #expect(abs(slopes[index] - difference) <= 1e-9 * abs(difference), "\(space.sites[index].name)")
            #expect(difference > 0)
        }
    }

    /// A block whose inner axis is empty leaves with its first normalisation, which runs over the stream that stays.
    @Test(arguments: TinyUNet.all) func aRemovedBlockIsNotCountedAtAll(tiny: TinyUNet) throws {
        let model = try tiny.model()
        let space = PruningSpace.channels(of: model)
        let costs = Self.kinds.map { WidthPolynomial($0, of: model, space: space) }
        let blocks = space.groups.indices.filter { space.groups[$0].axis.isRemovable }
        for removed in blocks.map({ [$0] }) + [blocks] {
            var masks = Masks(space)
            for site in removed { masks[site] = masks[site].map { _ in 0 } }
            let network = try model.rebuilt(keeping: masks.kept)
            let names = removed.map { space.sites[$0].name }
            #expect(costs[0].value(masks.liveWidths) == network.macs, "\(names)")
            #expect(costs[1].value(masks.liveWidths) == Double(network.parameterCount), "\(names)")
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
