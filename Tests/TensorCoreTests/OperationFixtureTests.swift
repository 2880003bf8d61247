import TestSupport
import CKernels
import TensorCore
import Testing

/// Every operation against outputs and gradients that PyTorch computed in float64 (Tests/Fixtures/operations).
@Suite struct OperationFixtureTests {
    private static let path = "operations/operations.safetensors"

    /// All cases but those of whole small networks and of optimisers, which the layers' tests run.
    static let cases: [String] = {
        let names = (try? GoldenFile(path).names) ?? []
        let cases = Set(names.compactMap { $0.split(separator: "/").first.map(String.init) })
        return cases.filter { name in !["hvp_", "adam", "sgd_"].contains { name.hasPrefix($0) } }.sorted()
    }()

    @Test func theFixtureIsThere() {
        #expect(Self.cases.count == 55)
    }

    @Test(arguments: cases) func outputAndGradientsAreThoseOfPyTorch(name: String) throws {
        let golden = GoldenCase(name: name, file: try GoldenFile(Self.path))
        if name.hasPrefix("softmax") { return try golden.checkSoftmax() }
        let (output, inputs, layout) = try golden.evaluate()
        // float32 rounding of sums over at most a few hundred terms; logits of magnitude 60 lose as much again.
        let tolerance = name == "attention_large_logits" ? 1e-4 : 1e-5
        expectClose(
            output.value.array, try golden.tensor("y", layout).doubles, tolerance: tolerance, "\(name)/y")
        let loss = name == "mse" ? output : output.weightedSum(try golden.tensor("grad_y", layout))
        loss.backward()
        for input in inputs {
            let gradient = try #require(input.variable.gradient, "\(name): no gradient of \(input.key)")
            expectClose(
                gradient.array, try golden.tensor("grad_" + input.key, input.layout).doubles, tolerance: 2 * tolerance,
                "\(name)/grad_\(input.key)")
        }
    }
}

/// One case of the operations' fixture.
private struct GoldenCase {
    typealias Input = (key: String, layout: GoldenFile.Layout, variable: Variable)

    let name: String
    let file: GoldenFile

    func tensor(_ key: String, _ layout: GoldenFile.Layout = .plain) throws -> Tensor {
        try file.tensor("\(name)/\(key)", layout)
    }

    private func integers(_ key: String) throws -> [Int] { try file.integers("\(name)/\(key)") }

    private func input(_ key: String, _ layout: GoldenFile.Layout = .plain) throws -> Input {
        (key, layout, Variable(try tensor(key, layout), requiresGradient: true))
    }

    /// The operation's output, its inputs, and the layout of the output.
    func evaluate() throws -> (output: Variable, inputs: [Input], layout: GoldenFile.Layout) {
        switch name {
        case _ where name.hasPrefix("conv"):
            return try convolution()
        case _ where name.hasPrefix("linear"):
            let (x, w, b) = (try input("x"), try input("w", .matrix), try input("b"))
            return (x.variable.linear(w.variable, bias: b.variable), [x, w, b], .plain)
        case _ where name.contains("group_norm"):
            return try normalization()
        case _ where name.hasPrefix("attention"):
            return try attention()
        case "upsample_nearest":
            let x = try input("x", .image)
            return (x.variable.upsampled(), [x], .image)
        case "average_pool":
            let x = try input("x", .image)
            return (x.variable.averagePooled(), [x], .image)
        case "fir_downsample":
            let x = try input("x", .image)
            return (x.variable.filteredDown(), [x], .image)
        case "fir_upsample":
            let x = try input("x", .image)
            return (x.variable.filteredUp(), [x], .image)
        case "mse":
            let x = try input("x")
            return (x.variable.meanSquaredError(to: try tensor("target")), [x], .plain)
        default:
            let activation = try #require(Activation(rawValue: name), "the fixture has a case no test knows: \(name)")
            let x = try input("x")
            return (x.variable.activated(activation), [x], .plain)
        }
    }

    private func convolution() throws -> (Variable, [Input], GoldenFile.Layout) {
        let (x, w) = (try input("x", .image), try input("w", .kernel))
        let b = file.has("\(name)/b") ? try input("b") : nil
        let padding = try integers("padding")
        let y = x.variable.convolved(
            with: w.variable, bias: b?.variable, stride: try integers("stride")[0],
            padding: ConvolutionPadding(top: padding[0], left: padding[1], bottom: padding[2], right: padding[3]))
        return (y, [x, w] + (b.map { [$0] } ?? []), .image)
    }

    private func normalization() throws -> (Variable, [Input], GoldenFile.Layout) {
        let (x, gamma, beta) = (try input("x", .image), try input("gamma"), try input("beta"))
        let m = file.has("\(name)/m") ? try input("m") : nil
        let groups =
            file.has("\(name)/groups")
            ? NormalizationGroups(width: x.variable.shape[3], count: try integers("groups")[0])
            : NormalizationGroups(groupOfChannel: try integers("group_of_channel"))
        let y = x.variable.groupNormalized(
            groups: groups, gamma: gamma.variable, beta: beta.variable, epsilon: try tensor("eps").scalar,
            activation: name.hasSuffix("_silu") ? .silu : .identity, gate: m?.variable)
        return (y, [x, gamma, beta] + (m.map { [$0] } ?? []), .image)
    }

    private func attention() throws -> (Variable, [Input], GoldenFile.Layout) {
        let (q, k, v) = (try input("q"), try input("k"), try input("v"))
        let heads = try integers("heads")[0]
        let width = q.variable.shape[2] / heads
        let y = q.variable.attention(
            keys: k.variable, values: v.variable,
            heads: AttentionHeads(widths: Array(repeating: width, count: heads), scale: 1 / Float(width).squareRoot()))
        return (y, [q, k, v], .plain)
    }

    /// The softmax is part of attention and of the cross-entropy, not an operation of its own: its kernel is checked.
    func checkSoftmax() throws {
        let x = try tensor("x")
        let (rows, columns) = (x.shape[0], x.shape[1])
        let y = Tensor(uninitialized: x.shape)
        dk_softmax(x.pointer, 1, rows, columns, y.pointer)
        expectClose(y.array, try tensor("y").doubles, tolerance: 1e-5, "\(name)/y")
        let gradient = Tensor(uninitialized: x.shape)
        let cotangent = try tensor("grad_y")
        withExtendedLifetime((x, y, cotangent)) {
            dk_softmax_backward(y.pointer, cotangent.pointer, 1, rows, columns, gradient.pointer, 0)
        }
        expectClose(gradient.array, try tensor("grad_x").doubles, tolerance: 2e-5, "\(name)/grad_x")
    }
}
