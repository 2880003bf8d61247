import Diffusion
import Layers
import Models
import TensorCore
import Testing
import Training

/// Same noise, same picture: an image's prediction has the same bits whatever is computed beside it.
@Suite struct UNetDeterminismTests {
    /// Attention, several widths that no vector register divides, and class labels.
    private static let configurations: [UNetConfiguration] = {
        var plain = UNetConfiguration()
        plain.sampleSize = [16, 16]
        plain.blockOutChannels = [24, 40]
        plain.normNumGroups = 4
        plain.attentionHeadDim = 8
        plain.layersPerBlock = 1
        plain.downBlockTypes = ["DownBlock2D", "AttnDownBlock2D"]
        plain.upBlockTypes = ["AttnUpBlock2D", "UpBlock2D"]
        plain.numClassEmbeds = 10
        var odd = plain
        odd.blockOutChannels = [6, 14]
        odd.normNumGroups = 2
        odd.attentionHeadDim = 7
        odd.resnetTimeScaleShift = .scaleShift
        odd.downsampleType = .resnet
        odd.upsampleType = .resnet
        odd.inChannels = 1
        odd.outChannels = 1
        return [plain, odd]
    }()

    private func bits(_ tensor: Tensor) -> [UInt32] { tensor.array.map(\.bitPattern) }

    @Test(arguments: configurations.indices)
    func anImagesBitsDependNeitherOnTheBatchNorOnTheThreads(index: Int) throws {
        let model = try UNet(Self.configurations[index])
        model.initialize(seed: 5)
        let sample = Tensor(uninitialized: [3, 16, 16, model.configuration.inChannels])
        var stream = RandomStream(seed: 6, purpose: .initialNoise)
        stream.fillNormal(sample.unsafeBuffer)
        let timesteps: [Float] = [3, 500, 999]
        let labels: [Float] = [0, 4, 9]

        let threads = Engine.threads
        defer { Engine.threads = threads }
        Engine.threads = 1
        let whole = bits(model.predict(sample, timesteps, .numbers(labels)))
        #expect(Set(whole).count > whole.count / 2)
        for count in 1...3 {
            Engine.threads = count
            #expect(bits(model.predict(sample, timesteps, .numbers(labels))) == whole, "\(count) threads")
            for image in 0..<3 {
                let alone = model.predict(
                    sample.rows(image..<image + 1), [timesteps[image]], .numbers([labels[image]]))
                let size = alone.count
                #expect(
                    bits(alone) == Array(whole[image * size..<(image + 1) * size]), "image \(image), \(count) threads")
            }
            let reversed = Tensor(uninitialized: sample.shape)
            let size = sample.count / 3
            for image in 0..<3 {
                (reversed.pointer + image * size).update(from: sample.pointer + (2 - image) * size, count: size)
            }
            let backwards = bits(model.predict(reversed, timesteps.reversed(), .numbers(labels.reversed())))
            let outputSize = whole.count / 3
            #expect(Array(backwards[..<outputSize]) == Array(whole[(2 * outputSize)...]), "\(count) threads")
        }
    }

    /// Predicting with prepared weights, images divided over threads, is calling the model.
    @Test(arguments: configurations.indices)
    func aFrozenModelGivesTheSameBits(index: Int) throws {
        let model = try UNet(Self.configurations[index])
        model.initialize(seed: 5)
        let sample = Tensor(uninitialized: [11, 16, 16, model.configuration.inChannels])
        var stream = RandomStream(seed: 8, purpose: .initialNoise)
        stream.fillNormal(sample.unsafeBuffer)
        let timesteps = (0..<11).map { Float(90 * $0) }
        let labels = ClassLabels.numbers((0..<11).map { Float($0 % 10) })
        let expected = bits(model.predict(sample, timesteps, labels))

        let threads = Engine.threads
        defer { Engine.threads = threads }
        let frozen = Frozen(model)
        for count in [1, 2, 3, 5] {
            Engine.threads = count
            let got = frozen.prediction(at: sample, timesteps: timesteps, classLabels: labels)
            #expect(got.shape == sample.shape && bits(got) == expected, "\(count) threads")
        }
        #expect(frozen.preparedBytes > 0)
        // What is prepared belongs to the frozen model alone.
        for parameter in model.parameters { parameter.variable.value.fill(0.01) }
        #expect(bits(model.predict(sample, timesteps, labels)) != expected)
    }

    private final class Recorder: OperationObserver {
        var operations: [(name: String, images: Int)] = []

        func ran(_ operation: LayerOperation, inputs: [Variable], parameters: [Parameter], output: Variable) {
            operations.append((operation.name, output.shape[0]))
        }
    }

    /// What looks on sees every layer by itself with the whole batch, and changes no bit.
    @Test(arguments: configurations.indices)
    func aFrozenModelThatIsObservedGivesTheSameBits(index: Int) throws {
        let model = try UNet(Self.configurations[index])
        model.initialize(seed: 5)
        let sample = Tensor(uninitialized: [11, 16, 16, model.configuration.inChannels])
        var stream = RandomStream(seed: 8, purpose: .initialNoise)
        stream.fillNormal(sample.unsafeBuffer)
        let timesteps = (0..<11).map { Float(90 * $0) }
        let labels = ClassLabels.numbers((0..<11).map { Float($0 % 10) })
        let threads = Engine.threads
        defer { Engine.threads = threads }
        Engine.threads = 3
        let frozen = Frozen(model)
        let expected = bits(frozen.prediction(at: sample, timesteps: timesteps, classLabels: labels))

        let (predicting, recording) = (Recorder(), Recorder())
        let got = predicting.observing { frozen.prediction(at: sample, timesteps: timesteps, classLabels: labels) }
        #expect(bits(got) == expected)
        #expect(predicting.operations.allSatisfy { $0.images == 11 })
        // Every layer with multiply–accumulates of its own.
        #expect(Set(model.computeTerms.map(\.layer)).isSubset(of: Set(predicting.operations.map(\.name))))

        // A training step that computes blocks again shows them once.
        model.usesGradientCheckpointing = true
        recording.observing {
            let output = model(Variable(sample), timesteps: timesteps, classLabels: labels)
            output.meanSquaredError(to: sample).backward()
        }
        #expect(recording.operations.map(\.name) == predicting.operations.map(\.name))
    }

    @Test func gradientsDoNotDependOnTheThreads() throws {
        let model = try UNet(Self.configurations[0])
        model.initialize(seed: 5)
        let arena = ParameterArena(model.parameters)
        let sample = Tensor(uninitialized: [2, 16, 16, 3])
        var stream = RandomStream(seed: 7, purpose: .initialNoise)
        stream.fillNormal(sample.unsafeBuffer)
        func gradient() -> [UInt32] {
            arena.clearGradients()
            model(Variable(sample), timesteps: [10, 700], classLabels: .numbers([1, 2]))
                .meanSquaredError(to: sample).backward()
            arena.completeGradients()
            return bits(arena.gradients)
        }
        let threads = Engine.threads
        defer { Engine.threads = threads }
        Engine.threads = 1
        let one = gradient()
        for count in 2...3 {
            Engine.threads = count
            #expect(gradient() == one, "\(count) threads")
        }
    }

    /// The step's dropout is a function of seed and step, and inference has none.
    @Test func dropoutIsNamedBySeedAndStep() throws {
        var configuration = Self.configurations[0]
        configuration.dropout = 0.3
        let model = try UNet(configuration)
        model.initialize(seed: 5)
        let sample = Tensor(ones: [1, 16, 16, 3])
        func output(_ mask: DropoutMask?) -> [UInt32] {
            Autograd.withoutRecording {
                bits(model(Variable(sample), timesteps: [10], classLabels: .numbers([1]), dropout: mask).value)
            }
        }
        #expect(output(DropoutMask(seed: 1, step: 4)) == output(DropoutMask(seed: 1, step: 4)))
        #expect(output(DropoutMask(seed: 1, step: 4)) != output(DropoutMask(seed: 1, step: 5)))
        #expect(output(DropoutMask(seed: 2, step: 4)) != output(DropoutMask(seed: 1, step: 4)))
        configuration.dropout = 0
        let plain = try UNet(configuration)
        plain.initialize(seed: 5)
        #expect(output(nil) == bits(plain.predict(sample, [10], .numbers([1]))))
    }
}
