import Diffusion
import Foundation
import Layers
import Models
import Pruning
import TensorCore
import TestSupport
import Testing
import Training
import WeightFiles

/// Second moments of a student's Jacobian beside the teacher's, and the gradient of what they differ by.
@Suite struct JacobianMatchingTests {
    private static let weight = 0.5
    private static let distillation = 0.5

    /// A network of the same kind with other weights.
    private func other(_ model: UNet, by size: Float = 0.05) throws -> UNet {
        let twin = try model.copied()
        for (index, parameter) in twin.parameters.enumerated() {
            var stream = RandomStream(seed: 8, purpose: "test-change", index: UInt64(index))
            for element in 0..<parameter.count { parameter.variable.value.pointer[element] += size * stream.normal() }
        }
        return twin
    }

    private func batch(_ tiny: TinyUNet) -> DenoisingBatch {
        func normal(_ seed: UInt64) -> Tensor {
            let tensor = Tensor(uninitialized: tiny.sample.shape)
            var stream = RandomStream(seed: seed, purpose: "test-batch")
            stream.fillNormal(tensor.unsafeBuffer)
            return tensor
        }
        return DenoisingBatch(
            clean: tiny.sample, noise: normal(4), timesteps: [3, 42], classLabels: tiny.labels,
            directions: DirectedBatches.directions(tiny.sample.shape, seed: 5, step: 6))
    }

    private func terms(
        of student: UNet, to teacher: UNet, _ batch: DenoisingBatch, dropout: DropoutMask? = nil,
        jacobian: JacobianMatching? = JacobianMatching(weight: weight)
    ) throws -> LossTerms {
        try DenoisingObjective(SchedulerConfiguration()).terms(
            of: student, batch, dropout: dropout, teacher: teacher, distillation: Float(Self.distillation),
            jacobian: jacobian)
    }

    /// The formula in Double, of predictions and derivatives in float32.
    private func reference(
        of student: UNet, to teacher: UNet, _ batch: DenoisingBatch, dropout: DropoutMask? = nil
    ) throws -> (total: Double, jacobian: Double) {
        let objective = try DenoisingObjective(SchedulerConfiguration())
        func passed(_ model: UNet, _ dropout: DropoutMask?) throws -> (value: [Double], moments: [Double]) {
            let output = Autograd.withoutRecording {
                objective.prediction(
                    of: model, at: objective.noised(batch), batch, along: batch.directions, dropout: dropout)
            }
            let derivative = try #require(output.tangent).array.map(Double.init)
            let size = derivative.count / batch.count
            return (
                output.value.array.map(Double.init),
                (0..<batch.count).map { image in
                    derivative[image * size..<(image + 1) * size].reduce(0) { $0 + $1 * $1 }
                }
            )
        }
        func mean(_ values: some Collection<Double>) -> Double { values.reduce(0, +) / Double(values.count) }
        func squares(_ a: [Double], _ b: [Double]) -> Double { mean(zip(a, b).map { ($0 - $1) * ($0 - $1) }) }
        let (own, wanted) = (try passed(student, dropout), try passed(teacher, nil))
        let jacobian = squares(own.moments, wanted.moments) / (mean(wanted.moments) * mean(wanted.moments))
        let noise = batch.noise.array.map(Double.init)
        return (
            (1 - Self.distillation) * squares(own.value, noise) + Self.distillation * squares(own.value, wanted.value)
                + Self.weight * jacobian, jacobian
        )
    }

    private func gradient(_ arena: ParameterArena, _ terms: LossTerms) -> [Float] {
        arena.clearGradients()
        terms.total.backward()
        arena.completeGradients()
        return arena.gradients.array
    }

    /// Checks the gradient against differences along it, by a formula of fourth order.
    private func expectSlope(
        _ student: UNet, to teacher: UNet, _ batch: DenoisingBatch, dropout: DropoutMask? = nil, tolerance: Double,
        _ name: String
    ) throws {
        let arena = ParameterArena(student.parameters)
        let direction = gradient(arena, try terms(of: student, to: teacher, batch, dropout: dropout))
        let norm = direction.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        let start = arena.values.array
        func moved(_ length: Double) throws -> Double {
            for element in start.indices {
                arena.values.pointer[element] = start[element] + Float(length / norm * Double(direction[element]))
            }
            return try reference(of: student, to: teacher, batch, dropout: dropout).total
        }
        let step = 1e-3
        let slope = (8 * (try moved(step) - moved(-step)) - (try moved(2 * step) - moved(-2 * step))) / (12 * step)
        #expect(abs(slope - norm) < tolerance * norm, "\(name): \(slope), \(norm)")
    }

    @Test(arguments: TinyUNet.all) func itIsTheFormula(tiny: TinyUNet) throws {
        let teacher = try tiny.model()
        let (student, batch) = (try other(teacher), batch(tiny))
        let expected = try reference(of: student, to: teacher, batch)
        let got = try terms(of: student, to: teacher, batch)
        let jacobian = Double(try #require(got.others["jacobian_loss"]))
        #expect(abs(jacobian - expected.jacobian) < 1e-4 * expected.jacobian && jacobian > 1e-6)
        #expect(abs(Double(got.total.value.scalar) - expected.total) < 1e-5 * expected.total)
        #expect(try got.loss == terms(of: student, to: teacher, batch, jacobian: nil).loss)
        // Who is the teacher answers as it does.
        #expect(try terms(of: teacher, to: teacher.copied(), batch).others["jacobian_loss"] ?? 1 < 1e-10)
    }

    /// Whole, with soft and dead channels, and with dropout, whose mask is that of values and derivatives alike. Of a
    /// ReLU derivatives jump, so that differences are no slopes.
    @Test(arguments: TinyUNet.all.filter { $0.configuration.activation != .relu })
    func gradientsAreSlopes(tiny: TinyUNet) throws {
        let teacher = try tiny.model()
        let batch = batch(tiny)
        let tolerance = 3e-3
        let student = try other(teacher)
        try expectSlope(student, to: teacher, batch, tolerance: tolerance, "whole")
        for (index, group) in student.channelGroups.enumerated() where index % 2 == 0 {
            group.gating = LeafGate(
                Variable(Tensor((0..<group.width).map { [1, 0.5, 0][$0 % 3] }, shape: [group.width])))
        }
        try expectSlope(student, to: teacher, batch, tolerance: tolerance, "masked")
        var configuration = tiny.configuration
        configuration.dropout = 0.2
        let dropping = try UNet(configuration)
        for (own, theirs) in zip(dropping.parameters, try other(teacher).parameters) {
            own.variable.value.assign(theirs.variable.value)
        }
        try expectSlope(
            dropping, to: teacher, batch, dropout: DropoutMask(seed: 1, step: 2), tolerance: tolerance, "dropping")
    }

    @Test(arguments: TinyUNet.all) func recomputedBlocksGiveTheSameBits(tiny: TinyUNet) throws {
        let teacher = try tiny.model()
        let (student, batch) = (try other(teacher), batch(tiny))
        let arena = ParameterArena(student.parameters)
        func bits(_ checkpointing: Bool) throws -> [UInt32] {
            student.usesGradientCheckpointing = checkpointing
            return gradient(arena, try terms(of: student, to: teacher, batch)).map(\.bitPattern)
        }
        #expect(try bits(true) == bits(false))
    }

    /// The pass with tangents is the ordinary one where derivatives weigh nothing.
    @Test(arguments: TinyUNet.all) func withoutWeightItIsDistillation(tiny: TinyUNet) throws {
        let teacher = try tiny.model()
        let (student, batch) = (try other(teacher), batch(tiny))
        let arena = ParameterArena(student.parameters)
        let plain = gradient(arena, try terms(of: student, to: teacher, batch, jacobian: nil))
        let weightless = gradient(
            arena, try terms(of: student, to: teacher, batch, jacobian: JacobianMatching(weight: 1e-30)))
        #expect(relativeDifference(plain, weightless) < 1e-5)
    }

    /// Gates that are learned beside the weights, with a price on them.
    @Test func gatesGetTheirGradients() throws {
        let tiny = try TinyUNet.named("attention heads")
        let teacher = try tiny.model()
        let (student, batch) = (try other(teacher), batch(tiny))
        let group = student.channelGroups[2]
        let leaf = Variable(Tensor((0..<group.width).map { 0.4 + 0.05 * Float($0) }, shape: [group.width]))
        func total(_ gate: Variable) throws -> Variable {
            // Derived before the pass, as `L0` does, and read by a regulariser too.
            let derived = gate.applying(.sigmoid)
            group.gating = LeafGate(derived)
            return try terms(of: student, to: teacher, batch).total + derived.summed(over: .all).scaled(by: 0.01)
        }
        let learned = Variable(leaf.value.copied(), requiresGradient: true)
        try total(learned).backward()
        let gradient = try #require(learned.gradient).array
        #expect(learned.gradientTangent == nil)
        let norm = gradient.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        func moved(_ length: Double) throws -> Double {
            let values = zip(leaf.value.array, gradient).map { $0 + Float(length / norm * Double($1)) }
            let derived = Variable(Tensor(values, shape: leaf.shape)).applying(.sigmoid)
            group.gating = LeafGate(derived)
            return try reference(of: student, to: teacher, batch).total
                + 0.01 * derived.value.array.reduce(0.0) { $0 + Double($1) }
        }
        let slope = (try moved(1e-2) - moved(-1e-2)) / 2e-2
        #expect(abs(slope - norm) < 1e-2 * norm, "\(slope), \(norm)")
    }

    /// Of PyTorch, in float64: `torch.func.jvp` under reverse mode.
    @Test func lossAndGradientAreThoseOfPyTorch() throws {
        let expected = try SafetensorsFile(contentsOf: Fixtures.url("jacobian/expected.safetensors"))
        let directions = try SafetensorsFile(contentsOf: Fixtures.url("jacobian/batch.safetensors"))
            .floats("direction")
        let scores = try ScoreFixture()
        let student = try scores.model.copied()
        for parameter in student.parameters {
            parameter.load(fileValues: try expected.floats("weight/\(parameter.name)"))
        }
        let arena = ParameterArena(student.parameters)
        let batch = scores.batch(directions: directions)
        let terms = scores.objective.terms(
            of: student, batch, teacher: scores.model, distillation: 0.75, jacobian: JacobianMatching(weight: 0.5))
        #expect(abs(terms.loss / (try expected.floats("loss")[0]) - 1) < 1e-5)
        let matching = try #require(terms.others["jacobian_loss"])
        #expect(abs(matching / (try expected.floats("jacobian_loss")[0]) - 1) < 1e-4)
        _ = gradient(arena, terms)
        let (cosine, norms, worst) = try scores.compare(arena.gradients, of: arena, with: "gradient", in: expected)
        #expect(cosine > 1 - 1e-8 && abs(norms - 1) < 1e-4 && worst < 1e-4, "\(cosine), \(norms), \(worst)")
    }
}
