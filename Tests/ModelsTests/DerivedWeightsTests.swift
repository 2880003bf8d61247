import Diffusion
import Layers
import Models
import TensorCore
import Testing
import Training

/// Weights and gates that are derived from learned leaves in every call of a U-Net.
@Suite struct DerivedWeightsTests {
    /// gate = σ(logit), made anew wherever it is asked for.
    private final class SigmoidGate: Gating {
        let logit: Variable

        init(_ logit: Variable) { self.logit = logit }
        var gate: Variable { logit.applying(.sigmoid) }
    }

    /// weight = base·σ(logit), elementwise.
    private final class SigmoidMask: Reparameterization {
        let logit: Variable

        init(_ logit: Variable) { self.logit = logit }
        func materialize(_ base: Variable) -> Variable { base.multiplied(by: logit.applying(.sigmoid)) }
    }

    private struct Fixture {
        let model: UNet
        let sample: Tensor
        let timesteps: [Float]
        let labels: ClassLabels
        private(set) var gates: [Variable] = []
        private(set) var masks: [Variable] = []
        private var stream = RandomStream(seed: 13, purpose: "test-logits")

        init(batch: Int = 2, gated: Bool = true) throws {
            var configuration = UNetConfiguration()
            configuration.sampleSize = [16, 16]
            configuration.blockOutChannels = [24, 40]
            configuration.normNumGroups = 4
            configuration.attentionHeadDim = 8
            configuration.layersPerBlock = 1
            configuration.downBlockTypes = ["DownBlock2D", "AttnDownBlock2D"]
            configuration.upBlockTypes = ["AttnUpBlock2D", "UpBlock2D"]
            configuration.numClassEmbeds = 10
            model = try UNet(configuration)
            model.initialize(seed: 5)
            sample = Tensor(uninitialized: [batch, 16, 16, 3])
            var noise = RandomStream(seed: 7, purpose: .initialNoise)
            noise.fillNormal(sample.unsafeBuffer)
            timesteps = (0..<batch).map { Float(10 + 90 * $0) }
            labels = .numbers((0..<batch).map { Float($0 % 10) })
            for group in model.channelGroups where gated {
                let logit = drawn([group.width])
                group.gating = SigmoidGate(logit)
                gates.append(logit)
            }
            for parameter in model.parameters where parameter.isMaskable {
                let logit = drawn(parameter.variable.shape)
                parameter.reparameterization = SigmoidMask(logit)
                masks.append(logit)
            }
        }

        private mutating func drawn(_ shape: [Int]) -> Variable {
            let tensor = Tensor(uninitialized: shape)
            stream.fillNormal(tensor.unsafeBuffer)
            let tangent = Tensor(uninitialized: shape)
            stream.fillNormal(tangent.unsafeBuffer)
            return Variable(tensor, requiresGradient: true, tangent: tangent)
        }

        func output() -> Variable { model(Variable(sample), timesteps: timesteps, classLabels: labels) }

        /// Gradients of all leaves and their tangents.
        func gradients() -> [[Float]?] {
            output().meanSquaredError(to: sample).backward()
            return (model.parameters.map(\.variable) + gates + masks).flatMap {
                [$0.gradient?.array, $0.gradientTangent?.array]
            }
        }
    }

    /// Fails where a gate or a weight is made once and handed into a checkpointed block, which does not know of it.
    @Test func leavesGetTheSameGradientsUnderGradientCheckpointing() throws {
        let kept = try Fixture().gradients()
        let fixture = try Fixture()
        fixture.model.usesGradientCheckpointing = true
        let checkpointed = fixture.gradients()
        #expect(kept == checkpointed)
        for gradient in checkpointed {
            #expect(try #require(gradient).contains { $0 != 0 })
        }
    }

    /// The model with σ(logit)·base stored in the place of base.
    private func baked(_ fixture: Fixture) throws -> UNet {
        let baked = try fixture.model.rebuilt(keeping: [:])
        for (parameter, copy) in zip(fixture.model.parameters, baked.parameters) {
            copy.variable.value.assign(Autograd.withoutRecording { parameter.effective.value })
        }
        return baked
    }

    /// Fails where an effective weight is packed, and kept, at every call.
    @Test(arguments: [1, 3]) func predictionsWithDerivedWeightsAreRightAndKeepNoMoreMemory(threads: Int) throws {
        let before = Engine.threads
        defer { Engine.threads = before }
        Engine.threads = threads
        let fixture = try Fixture(batch: 7, gated: false)
        let frozen = Frozen(fixture.model)
        func prediction() -> [Float] {
            frozen.prediction(at: fixture.sample, timesteps: fixture.timesteps, classLabels: fixture.labels).array
        }
        let first = prediction()
        let bytes = frozen.preparedBytes
        #expect(first == Autograd.withoutRecording { fixture.output().value.array })
        let baked = try Frozen(baked(fixture))
        let expected = baked.prediction(
            at: fixture.sample, timesteps: fixture.timesteps, classLabels: fixture.labels)
        #expect(first == expected.array)
        for _ in 0..<3 { #expect(prediction() == first) }
        #expect(frozen.preparedBytes == bytes && bytes > baked.preparedBytes)
        // Another frozen model sees what the weights are by then.
        for logit in fixture.masks { logit.value.fill(-20) }
        #expect(
            Frozen(fixture.model).prediction(
                at: fixture.sample, timesteps: fixture.timesteps, classLabels: fixture.labels
            ).array != first)
    }
}
