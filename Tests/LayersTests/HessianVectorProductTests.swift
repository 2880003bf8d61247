import Foundation
import Layers
import TensorCore
import TestSupport
import Testing
import Training

/// Gradients and exact Hessian–vector products of small networks, through a parameter arena, against PyTorch's double
/// backward in float64.
@Suite struct HessianVectorProductTests {
    @Test(arguments: ["hvp_mlp", "hvp_conv", "hvp_gates", "hvp_attention"])
    func gradientAndProductsAreThoseOfPyTorch(name: String) throws {
        let network = try GoldenNetwork(name)
        let arena = ParameterArena(network.parameters)

        let loss = network.loss()
        // float32 against float64 over a few hundred terms, here and below
        #expect(abs(loss.value.scalar - (try network.golden.floats("\(name)/loss")[0])) < 1e-5 * loss.value.scalar)
        loss.backward()
        try network.compare(arena, arena.gradients, with: "grad", tolerance: 1e-5)
        let gradient = arena.gradients.copied()

        let direction = Tensor(zeros: [arena.count])
        for (index, parameter) in arena.parameters.enumerated() {
            let shadow = Parameter(
                parameter.name, layout: parameter.layout, axes: parameter.axes, shape: parameter.variable.shape,
                initialization: .zeros)
            shadow.load(fileValues: try network.golden.floats("\(name)/v_\(parameter.name)"))
            arena.slice(direction, index).assign(shadow.variable.value)
        }
        for (vector, key) in [(direction, "hv"), (gradient, "hg")] {
            let products = Tensor(zeros: [arena.count])
            arena.clearGradients()
            arena.setTangents(vector, products: products)
            network.loss().backward()
            arena.clearTangents()
            try network.compare(arena, products, with: key, tolerance: 5e-5)
            // Differentiating the backward pass leaves the gradient itself as it was.
            #expect(arena.gradients.array == gradient.array)
        }

        arena.clearGradients()
        network.loss().backward()
        for parameter in arena.parameters { #expect(parameter.variable.gradientTangent == nil) }
    }
}

/// One of the fixture's networks over the engine's operations.
private struct GoldenNetwork {
    let golden: GoldenFile
    let parameters: [Parameter]
    let loss: () -> Variable
    private let name: String

    init(_ name: String) throws {
        self.name = name
        let golden = try GoldenFile("operations/operations.safetensors")
        self.golden = golden
        var parameters: [Parameter] = []

        func parameter(_ key: String, _ layout: ParameterLayout = .plain) throws -> Parameter {
            let stored = try golden.shape(of: "\(name)/\(key)")
            let shape =
                switch layout {
                case .convolution: [stored[2], stored[3], stored[1], stored[0]]
                case .linear: [stored[1], stored[0]]
                case .plain: stored
                }
            let parameter = Parameter(
                key, layout: layout, axes: shape.map { _ in nil }, shape: shape, initialization: .zeros)
            parameter.load(fileValues: try golden.floats("\(name)/\(key)"))
            parameters.append(parameter)
            return parameter
        }
        func data(_ key: String) throws -> Tensor {
            let isImage = try golden.shape(of: "\(name)/\(key)").count == 4
            return try golden.tensor("\(name)/\(key)", isImage ? .image : .plain)
        }
        let (x, target) = (try data("x"), try data("target"))

        switch name {
        case "hvp_mlp":
            let (w1, b1) = (try parameter("w1", .linear), try parameter("b1"))
            let (w2, b2) = (try parameter("w2", .linear), try parameter("b2"))
            loss = {
                Variable(x).linear(w1.variable, bias: b1.variable).activated(.silu)
                    .linear(w2.variable, bias: b2.variable).meanSquaredError(to: target)
            }
        case "hvp_conv":
            let (w1, b1) = (try parameter("w1", .convolution), try parameter("b1"))
            let (gamma, beta) = (try parameter("gamma"), try parameter("beta"))
            let (w2, b2) = (try parameter("w2", .convolution), try parameter("b2"))
            loss = {
                Variable(x).convolved(with: w1.variable, bias: b1.variable)
                    .groupNormalized(
                        groups: NormalizationGroups(width: 4, count: 2), gamma: gamma.variable, beta: beta.variable,
                        epsilon: 1e-5, activation: .silu
                    )
                    .convolved(with: w2.variable, bias: b2.variable, padding: .none).meanSquaredError(to: target)
            }
        case "hvp_gates":
            let w = try parameter("w", .convolution)
            let (gamma, beta, m) = (try parameter("gamma"), try parameter("beta"), try parameter("m"))
            let groups = NormalizationGroups(
                groupOfChannel: try golden.integers("\(name)/group_of_channel"))
            loss = {
                Variable(x).convolved(with: w.variable)
                    .groupNormalized(
                        groups: groups, gamma: gamma.variable, beta: beta.variable, epsilon: 1e-5, activation: .silu,
                        gate: m.variable
                    ).meanSquaredError(to: target)
            }
        default:
            let (wq, wk, wv) = (
                try parameter("wq", .linear), try parameter("wk", .linear), try parameter("wv", .linear)
            )
            let heads = AttentionHeads(widths: [3, 3], scale: 1 / Float(3).squareRoot())
            loss = {
                let x = Variable(x)
                return x.linear(wq.variable)
                    .attention(keys: x.linear(wk.variable), values: x.linear(wv.variable), heads: heads)
                    .meanSquaredError(to: target)
            }
        }
        self.parameters = parameters
    }

    /// Compares the parameters' slices of `flat` with the fixture's "`key`_…", relative to the largest entry of all.
    func compare(_ arena: ParameterArena, _ flat: Tensor, with key: String, tolerance: Float) throws {
        var pairs: [(got: Float, expected: Float)] = []
        for (index, parameter) in arena.parameters.enumerated() {
            let got = parameter.fileValues(of: arena.slice(flat, index))
            let expected = try golden.floats("\(name)/\(key)_\(parameter.name)")
            pairs += zip(got, expected).map { ($0, $1) }
        }
        let largest = pairs.reduce(0) { max($0, abs($1.expected)) }
        let error = pairs.reduce(0) { max($0, abs($1.got - $1.expected)) }
        #expect(error <= tolerance * largest, "\(name)/\(key)")
    }
}
