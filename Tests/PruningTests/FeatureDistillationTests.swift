import Diffusion
import Layers
import Models
import Pruning
import TensorCore
import Testing
import Training

/// What a student's features are held against, and what that does to its gradients.
@Suite struct FeatureDistillationTests {
    private func outputs(of model: UNet, _ tiny: TinyUNet) -> BlockOutputs {
        let outputs = BlockOutputs()
        _ = model(Variable(tiny.sample), timesteps: tiny.timesteps, classLabels: tiny.labels, keeping: outputs)
        return outputs
    }

    private func error(
        _ features: FeatureDistillation, of student: UNet, to teacher: UNet, _ tiny: TinyUNet
    ) -> Variable {
        let wanted = Autograd.withoutRecording { outputs(of: teacher, tiny) }
        return features.error(of: outputs(of: student, tiny), in: student, to: wanted, in: teacher)
    }

    /// A network of the same kind with other weights.
    private func other(_ model: UNet, by size: Float = 0.02) throws -> UNet {
        let twin = try model.copied()
        for (index, parameter) in twin.parameters.enumerated() {
            var stream = RandomStream(seed: 8, purpose: "test-change", index: UInt64(index))
            for element in 0..<parameter.count { parameter.variable.value.pointer[element] += size * stream.normal() }
        }
        return twin
    }

    /// The formula in Double, element by element.
    private func reference(
        _ features: FeatureDistillation, of student: UNet, to teacher: UNet, _ tiny: TinyUNet
    ) -> (error: Double, left: Int, all: Int) {
        let (own, wanted) = (outputs(of: student, tiny), outputs(of: teacher, tiny))
        var (sum, blocks, left, all) = (0.0, 0, 0, 0)
        for (number, (block, other)) in zip(student.featureBlocks, teacher.featureBlocks).enumerated()
        where features.blocks == .all || block.hasAttention {
            blocks += 1
            let (f, g) = (own.values[number].value.array, wanted.values[number].value.array.map(Double.init))
            let mean = g.reduce(0, +) / Double(g.count)
            let variance = g.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(g.count)
            let gate = block.axis.gate?.value.array
            let (width, wide) = (block.axis.width, other.axis.width)
            var (error, weights) = (0.0, 0.0)
            for row in 0..<(f.count / width) {
                for (channel, original) in block.axis.keptPositions.enumerated() {
                    let place = other.axis.keptPositions.firstIndex(of: original) ?? -1
                    let value = g[row * wide + place]
                    all += 1
                    guard abs(value - mean) <= features.outliers * variance.squareRoot() else { continue }
                    left += 1
                    let weight = Double(gate?[channel] ?? 1)
                    let difference = Double(f[row * width + channel]) - value
                    error += weight * difference * difference / variance
                    weights += weight
                }
            }
            sum += error / weights
        }
        return (sum / Double(blocks), left, all)
    }

    @Test(arguments: TinyUNet.all, [FeatureDistillation.Blocks.attention, .all])
    func itIsTheFormula(tiny: TinyUNet, blocks: FeatureDistillation.Blocks) throws {
        let teacher = try tiny.model()
        let student = try other(teacher)
        // Near enough to leave some out.
        let features = FeatureDistillation(weight: 1, blocks: blocks, outliers: 1.5)
        guard blocks == .all || teacher.featureBlocks.contains(where: \.hasAttention) else {
            #expect { try features.check(student, teacher) } throws: { "\($0)".contains("feature_layers") }
            return
        }
        try features.check(student, teacher)
        for (index, group) in student.channelGroups.enumerated() where index % 2 == 0 {
            group.gating = LeafGate(
                Variable(Tensor((0..<group.width).map { [1, 0.5, 0][$0 % 3] }, shape: [group.width])))
        }
        let expected = reference(features, of: student, to: teacher, tiny)
        let got = Double(error(features, of: student, to: teacher, tiny).value.scalar)
        #expect(expected.left < expected.all && expected.left > expected.all / 2)
        #expect(abs(got - expected.error) < 1e-5 * expected.error, "\(got), \(expected.error)")
    }

    @Test(arguments: TinyUNet.all) func everyBlockIsThere(tiny: TinyUNet) throws {
        let model = try tiny.model()
        let (blocks, outputs) = (model.featureBlocks, outputs(of: model, tiny).values)
        #expect(blocks.count == outputs.count && Set(blocks.map(\.name)).count == blocks.count)
        for (block, output) in zip(blocks, outputs) { #expect(output.shape.last == block.axis.width, "\(block.name)") }
        let resnets = Set(model.parameters.map(\.name).filter { $0.hasSuffix("conv1.weight") })
        #expect(blocks.count == resnets.count)
        let attentions = Set(model.parameters.map(\.name).filter { $0.hasSuffix("to_q.weight") })
        #expect(blocks.count(where: \.hasAttention) == attentions.count)
    }

    @Test(arguments: TinyUNet.all) func whoIsTheTeacherImitatesItWithoutError(tiny: TinyUNet) throws {
        let model = try tiny.model()
        let features = FeatureDistillation(weight: 1, blocks: .all)
        #expect(error(features, of: model, to: try model.copied(), tiny).value.scalar == 0)
    }

    /// Masked channels count no more than removed ones, and those left keep their counterparts.
    @Test(arguments: TinyUNet.all) func aCompactedStudentIsTheMaskedOne(tiny: TinyUNet) throws {
        let teacher = try tiny.model()
        let student = try other(teacher)
        let masks = Masks.random(.channels(of: student), seed: 3)
        let features = FeatureDistillation(weight: 1, blocks: .all, outliers: 2)
        let masked = masks.applied { error(features, of: student, to: teacher, tiny).value.scalar }
        let once = try Compaction(student, masks: masks).network
        try features.check(once, teacher)
        let compacted = error(features, of: once, to: teacher, tiny).value.scalar
        #expect(abs(masked - compacted) < 1e-5 * masked && masked > 0.01)

        // A teacher that was pruned itself, of a student that is pruned further.
        let second = Masks.random(.channels(of: once), keeping: 0.6, seed: 5)
        let twice = try Compaction(once, masks: second).network
        let smaller = try Compaction(teacher, masks: Masks(.channels(of: teacher), masks.values)).network
        try features.check(twice, smaller)
        let further = Double(error(features, of: twice, to: smaller, tiny).value.scalar)
        let expected = reference(features, of: twice, to: smaller, tiny).error
        #expect(abs(further - expected) < 1e-5 * expected)
        #expect { try features.check(once, twice) } throws: { "\($0)".contains("has channels that it lost") }
    }

    /// float32 against central differences along the gradient; recomputed blocks give the same bits.
    @Test(arguments: TinyUNet.all) func gradientsAreSlopes(tiny: TinyUNet) throws {
        let teacher = try tiny.model()
        let student = try other(teacher)
        let features = FeatureDistillation(weight: 1, blocks: .all, outliers: 2)
        let arena = ParameterArena(student.parameters)
        func gradient(checkpointing: Bool) -> [Float] {
            student.usesGradientCheckpointing = checkpointing
            arena.clearGradients()
            error(features, of: student, to: teacher, tiny).backward()
            arena.completeGradients()
            return arena.gradients.array
        }
        let direction = gradient(checkpointing: false)
        #expect(gradient(checkpointing: true).map(\.bitPattern) == direction.map(\.bitPattern))
        let norm = direction.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        let start = arena.values.array
        func moved(_ length: Double) -> Double {
            for element in start.indices {
                arena.values.pointer[element] = start[element] + Float(length / norm * Double(direction[element]))
            }
            // Taken in Double of features in float32, so that the sum adds no rounding of its own.
            return reference(features, of: student, to: teacher, tiny).error
        }
        let step = 2e-3
        let slope = (8 * (moved(step) - moved(-step)) - (moved(2 * step) - moved(-2 * step))) / (12 * step)
        // Differences across the kinks of a ReLU are no slopes.
        let tolerance = tiny.configuration.activation == .relu ? 1e-2 : 1e-3
        #expect(abs(slope - norm) < tolerance * norm, "\(slope), \(norm)")
    }

    @Test func aBlockThatIsTheSameEverywhereCountsAsImitated() throws {
        let tiny = try TinyUNet.named("one level")
        let (teacher, student) = (try tiny.model(), try tiny.model(seed: 2))
        let (own, wanted) = (outputs(of: student, tiny), BlockOutputs())
        for output in own.values { wanted.append(Variable(Tensor(ones: output.shape).scaled(by: 0.3))) }
        let features = FeatureDistillation(weight: 1, blocks: .all)
        #expect(features.error(of: own, in: student, to: wanted, in: teacher).value.scalar == 0)
    }

    /// Beside the loss, which stays as it is; the teacher predicts once.
    @Test func itIsAddedToTheLossOfOneTeachersPass() throws {
        let tiny = try TinyUNet.named("attention heads")
        let teacher = try tiny.model()
        let student = try other(teacher)
        let batch = DenoisingBatch(clean: tiny.sample, noise: Tensor(ones: tiny.sample.shape), timesteps: [3, 42])
        let objective = try DenoisingObjective(SchedulerConfiguration())
        func terms(_ distillation: Double, _ features: FeatureDistillation?) -> (LossTerms, passes: Int) {
            let counter = PassCounter()
            let terms = counter.observing {
                Denoising(objective, distillation: distillation, features: features).terms(
                    of: student, on: batch, teacher: teacher, dropout: nil)
            }
            return (terms, counter.count)
        }
        for distillation in [0, 0.5, 1] {
            let (plain, passes) = terms(distillation, nil)
            #expect(passes == (distillation > 0 ? 2 : 1) && plain.others.isEmpty)
            #expect(plain.total.value.scalar == plain.loss)
            #expect(
                plain.loss
                    == objective.loss(of: student, batch, teacher: teacher, distillation: Float(distillation))
                    .value.scalar)
            let (taught, both) = terms(distillation, FeatureDistillation(weight: 0.25, blocks: .all))
            #expect(both == 2 && taught.loss == plain.loss)
            let error = try #require(taught.others["feature_loss"])
            #expect(error > 0 && abs(taught.total.value.scalar - (plain.loss + 0.25 * error)) < 1e-6)
        }
        // Nothing is imitated where losses are only judged.
        let judged = Denoising(objective, distillation: 0.5, features: FeatureDistillation(weight: 1)).loss(
            of: student, on: batch, teacher: nil, dropout: nil)
        #expect(judged.value.scalar == objective.loss(of: student, batch).value.scalar)
    }

    @Test func whatCannotBeImitatedIsRefused() throws {
        let tiny = try TinyUNet.named("attention heads")
        let model = try tiny.model()
        var wider = tiny.configuration
        wider.blockOutChannels = [8, 12]
        let features = FeatureDistillation(weight: 1)
        #expect { try features.check(model, try UNet(wider)) } throws: {
            "\($0)".contains("'recovery.feature_distillation' is 1, expected 0 with this teacher")
                && "\($0)".contains("which 8 of its 12 channels")
        }
        let others = try TinyUNet.named("resampling by ResNet blocks").model()
        #expect { try features.check(model, others) } throws: { "\($0)".contains("blocks are not the model's") }
        let plain = try TinyUNet.named("one level").configuration
        var bare = plain
        bare.midBlockType = nil
        let unattended = try UNet(bare)
        #expect { try features.check(unattended, unattended) } throws: {
            "\($0)".contains("'recovery.feature_layers' is 'attention', expected 'all'")
        }
    }
}

/// Counts passes through U-Nets.
private final class PassCounter: OperationObserver {
    private(set) var count = 0

    func ran(_ operation: LayerOperation, inputs: [Variable], parameters: [Parameter], output: Variable) {
        if operation.name == "conv_in" { count += 1 }
    }
}

extension Tensor {
    fileprivate func scaled(by factor: Float) -> Tensor { Tensor(array.map { factor * $0 }, shape: shape) }
}
