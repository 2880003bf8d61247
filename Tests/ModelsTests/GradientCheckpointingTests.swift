import Layers
import Models
import TensorCore
import Testing
import Training

/// Gradient checkpointing changes what is kept, and no bit of what comes out.
@Suite struct GradientCheckpointingTests {
    private static let configurations: [UNetConfiguration] = {
        var plain = UNetConfiguration()
        plain.sampleSize = [16, 16]
        plain.blockOutChannels = [24, 40]
        plain.normNumGroups = 4
        plain.attentionHeadDim = 8
        plain.layersPerBlock = 2
        plain.downBlockTypes = ["DownBlock2D", "AttnDownBlock2D"]
        plain.upBlockTypes = ["AttnUpBlock2D", "UpBlock2D"]
        plain.numClassEmbeds = 10
        plain.dropout = 0.2
        var odd = plain
        odd.blockOutChannels = [6, 14]
        odd.normNumGroups = 2
        odd.attentionHeadDim = 7
        odd.resnetTimeScaleShift = .scaleShift
        odd.downsampleType = .resnet
        odd.upsampleType = .resnet
        return [plain, odd]
    }()

    private struct Outcome: Equatable {
        let loss: UInt32
        let gradients: [UInt32]
        let products: [UInt32]
    }

    /// Loss, gradient and Hessian–vector product, with gates on every other axis.
    private func outcome(_ model: UNet, checkpointing: Bool) -> Outcome {
        model.usesGradientCheckpointing = checkpointing
        let arena = ParameterArena(model.parameters)
        let sample = Tensor(uninitialized: [2, 16, 16, 3])
        var stream = RandomStream(seed: 7, purpose: .initialNoise)
        stream.fillNormal(sample.unsafeBuffer)
        for (index, group) in model.channelGroups.enumerated() where index % 2 == 0 {
            group.gating = LeafGate(
                Variable(
                    Tensor((0..<group.width).map { $0 % 3 == 0 ? 0.5 : 1 }, shape: [group.width]),
                    requiresGradient: true))
        }
        let direction = Tensor(uninitialized: [arena.count])
        stream.fillNormal(direction.unsafeBuffer)
        let products = Tensor(zeros: [arena.count])
        arena.setTangents(direction, products: products)
        defer { arena.clearTangents() }
        let loss = model(
            Variable(sample), timesteps: [10, 700], classLabels: .numbers([1, 2]),
            dropout: DropoutMask(seed: 3, step: 5)
        ).meanSquaredError(to: sample)
        let value = loss.value.scalar
        loss.backward()
        arena.completeGradients()
        let gates = model.channelGroups.compactMap { $0.gate?.gradient?.array }.joined()
        return Outcome(
            loss: value.bitPattern, gradients: (arena.gradients.array + gates).map(\.bitPattern),
            products: products.array.map(\.bitPattern))
    }

    @Test(arguments: configurations.indices)
    func gradientsAndHessianVectorProductsHaveTheSameBits(index: Int) throws {
        let model = try UNet(Self.configurations[index])
        model.initialize(seed: 5)
        let kept = outcome(model, checkpointing: false)
        #expect(Set(kept.gradients).count > kept.gradients.count / 2)
        #expect(Set(kept.products).count > kept.products.count / 2)
        #expect(outcome(model, checkpointing: true) == kept)
    }

    @Test func aRebuiltModelDoesAsTheOneItWasMadeFrom() throws {
        let model = try UNet(Self.configurations[0])
        #expect(!model.usesGradientCheckpointing)
        model.usesGradientCheckpointing = true
        #expect(try model.rebuilt(keeping: [:]).usesGradientCheckpointing)
    }
}
