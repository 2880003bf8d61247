import Layers
import Models
import TensorCore
import TestSupport
import Testing

/// A copy has the same values in places of its own.
@Suite struct CopiedNetworkTests {
    private func bits(_ network: some ChannelNetwork) -> [[UInt32]] {
        network.parameters.map { $0.variable.value.array.map(\.bitPattern) }
    }

    private func expectACopy(of network: some ChannelNetwork) throws {
        network.initialize(seed: 5)
        let before = bits(network)
        let copy = try network.copied()
        #expect(bits(copy) == before)
        #expect(copy.keptChannels == network.keptChannels)
        #expect(copy.channelGroups.map(\.name) == network.channelGroups.map(\.name))
        copy.initialize(seed: 6)
        #expect(bits(copy) != before && bits(network) == before)
    }

    @Test func everyFamilysNetworkCanBeCopied() throws {
        var configuration = UNetConfiguration()
        configuration.sampleSize = [8, 8]
        configuration.blockOutChannels = [8, 16]
        configuration.downBlockTypes = ["DownBlock2D", "AttnDownBlock2D"]
        configuration.upBlockTypes = ["AttnUpBlock2D", "UpBlock2D"]
        configuration.normNumGroups = 4
        let unet = try UNet(configuration)
        try expectACopy(of: unet)
        // Pruned, with masks on: those stay behind.
        let pruned = try unet.rebuilt(keeping: ["conv_in.out": [0, 1, 5]])
        try expectACopy(of: pruned)
        pruned.channelGroups[0].gating = LeafGate(Variable(Tensor(zeros: [pruned.channelGroups[0].width])))
        #expect(try pruned.copied().channelGroups[0].gating == nil)

        try expectACopy(
            of: FeatureClassifier(
                FeatureClassifierConfiguration(
                    name: "test", inputSize: 8, channels: 1, widths: [4, 8], normalizationGroups: 4,
                    classNames: ["a", "b"], trainedOn: "nothing"), kept: ["level.1": [0, 1, 2, 7]]))
    }
}
