import CKernels

/// Where each head's columns lie in the inner width of an attention layer. Heads may have different widths.
public struct AttentionHeads: Sendable, Equatable {
    public let widths: [Int]
    /// What the logits are multiplied by: 1/√(width of a head before any pruning).
    public let scale: Float

    public init(widths: [Int], scale: Float) {
        self.widths = widths
        self.scale = scale
    }

    var inner: Int { widths.reduce(0, +) }
}

extension Variable {
    /// Multi-head attention softmax(scale·Q·Kᵀ)·V; `self` is Q, all three `[B, T, inner]` → `[B, T, inner]`.
    ///
    /// Of each query the largest logit and the sum of exponentials are kept for the backward pass, and the output,
    /// which the next layer keeps anyway; the probabilities are computed once more, and so are the three inputs where
    /// they are linear layers' results.
    public func attention(keys: Variable, values: Variable, heads: AttentionHeads) -> Variable {
        precondition(
            shape.count == 3 && keys.shape == shape && values.shape == shape && heads.inner == shape[2],
            "attention of \(shape), \(keys.shape), \(values.shape) with heads \(heads.widths)")
        let attention = Attention(
            shape: shape, heads: heads, pitch: heads.inner, q: Columns(of: self), k: Columns(of: keys),
            v: Columns(of: values))
        let inputs = [self, keys, values]
        let isKept = Autograd.isRecording && inputs.contains { $0.requiresGradient }
        let statistics =
            isKept ? Tensor(uninitialized: [shape[0], heads.widths.count, attentionStatistics, shape[1]]) : nil
        let output = attention.forward(statistics: statistics)

        guard let statistics else { return Variable(output.value, tangent: output.tangent) }
        let adjoints = inputs.map(\.adjoint)
        let saved = inputs.map(\.savedFrugally)
        let shape = shape
        return .result(output.value, tangent: output.tangent, of: inputs) { cotangent in
            let inputs = Saved.duals(of: saved).map { Columns($0) }
            let attention = Attention(
                shape: shape, heads: heads, pitch: heads.inner, q: inputs[0], k: inputs[1], v: inputs[2])
            let gradients = attention.gradients(Dual(cotangent), output: output, statistics: statistics)
            for (adjoint, gradient) in zip(adjoints, gradients) { adjoint?.contribute(adopting: gradient) }
        }
    }

    /// The same for a prediction, `self` `[B, T, 3·inner]` being queries, keys and values side by side.
    ///
    /// Nothing may ask for its gradient.
    public func jointAttention(heads: AttentionHeads) -> Variable {
        precondition(
            shape.count == 3 && shape[2] == 3 * heads.inner && !Autograd.isRecording,
            "joint attention of \(shape) with heads \(heads.widths)")
        let attention = Attention(
            shape: [shape[0], shape[1], heads.inner], heads: heads, pitch: shape[2], q: Columns(of: self),
            k: Columns(of: self, from: heads.inner), v: Columns(of: self, from: 2 * heads.inner))
        let output = attention.forward(statistics: nil)
        return Variable(output.value, tangent: output.tangent)
    }
}

private let attentionStatistics = Int(DK_ATTENTION_STATISTICS)

/// Columns of a tensor from one on, with their tangents.
private struct Columns {
    private let dual: Dual
    private let first: Int

    init(_ dual: Dual, from first: Int = 0) {
        self.dual = dual
        self.first = first
    }

    init(of variable: Variable, from first: Int = 0) { self.init(Dual(variable), from: first) }

    var hasTangent: Bool { dual.tangent != nil }

    var pointers: dk_dual_in {
        dk_dual_in(value: dual.value.pointer + first, tangent: dual.tangent.map { UnsafePointer($0.pointer + first) })
    }
}

extension Dual {
    fileprivate init(uninitialized shape: [Int], hasTangent: Bool) {
        self.init(Tensor(uninitialized: shape), tangent: hasTangent ? Tensor(uninitialized: shape) : nil)
    }

    fileprivate var output: dk_dual_out { dk_dual_out(value: value.pointer, tangent: tangent?.pointer) }
}

/// One attention as the kernels take it.
private struct Attention {
    /// Of the output.
    let shape: [Int]
    let heads: AttentionHeads
    /// Floats between the tokens of q, k and v.
    let pitch: Int
    let q: Columns, k: Columns, v: Columns

    private var hasTangent: Bool { [q, k, v].contains { $0.hasTangent } }

    private func withProblem(_ body: (UnsafePointer<dk_attention>) -> Void) {
        heads.widths.withUnsafeBufferPointer { widths in
            var problem = dk_attention(
                batch: shape[0], tokens: shape[1], heads: widths.count, widths: widths.baseAddress, inner: shape[2],
                pitch: pitch, scale: heads.scale, q: q.pointers, k: k.pointers,
                v: v.pointers)
            body(&problem)
        }
    }

    func forward(statistics: Tensor?) -> Dual {
        let output = Dual(uninitialized: shape, hasTangent: hasTangent)
        withProblem { problem in
            let workspace = Tensor(uninitialized: [dk_attention_forward_workspace(problem)])
            dk_attention_forward(problem, output.output, statistics?.pointer, workspace.pointer)
            withExtendedLifetime(workspace) {}
        }
        return output
    }

    /// ∂/∂Q, ∂/∂K and ∂/∂V with their tangents.
    func gradients(_ g: Dual, output: Dual, statistics: Tensor) -> [Dual] {
        let isTangent = hasTangent || g.tangent != nil
        let gradients = (0..<3).map { _ in Dual(uninitialized: shape, hasTangent: isTangent) }
        withProblem { problem in
            let workspace = Tensor(uninitialized: [dk_attention_backward_workspace(problem, isTangent ? 1 : 0)])
            dk_attention_backward(
                problem, Columns(output).pointers, statistics.pointer, Columns(g).pointers, gradients[0].output,
                gradients[1].output, gradients[2].output, workspace.pointer)
            withExtendedLifetime(workspace) {}
        }
        return gradients
    }
}
