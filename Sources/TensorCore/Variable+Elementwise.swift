import CKernels

/// Pointwise non-linearities; `gelu` is the exact one (by the error function), `mish` is x·tanh(softplus x).
public enum Activation: String, Sendable, Codable, CaseIterable {
    case identity, silu, gelu, relu, mish

    var kernel: dk_activation {
        switch self {
        case .identity: DK_IDENTITY
        case .silu: DK_SILU
        case .gelu: DK_GELU
        case .relu: DK_RELU
        case .mish: DK_MISH
        }
    }
}

extension Variable {
    /// φ(x), elementwise.
    public func activated(_ activation: Activation) -> Variable {
        let kind = activation.kernel
        let saved = saved
        let adjoint = adjoint
        let activate = { (x: Dual) in
            let output = Tensor(uninitialized: x.value.shape)
            let count = output.count
            dk_activate(kind, 0, 1, x.value.pointer, nil, nil, count, output.pointer, 0)
            let outputTangent = x.tangent.map { xTangent in
                let result = Tensor(uninitialized: output.shape)
                dk_activate(kind, 1, 1, x.value.pointer, xTangent.pointer, nil, count, result.pointer, 0)
                return result
            }
            return Dual(output, tangent: outputTangent)
        }
        let output = activate(Dual(self))
        return .result(output.value, tangent: output.tangent, of: [self], recomputed: { activate(saved.dual) }) {
            cotangent in
            // dx = g·φ′(x);  its tangent: ġ·φ′(x) + g·φ″(x)·ẋ
            let x = saved.dual
            let count = x.value.count
            adjoint?.contributeLinear(cotangent) { g, out, accumulate in
                dk_activate(kind, 1, 1, x.value.pointer, g.pointer, nil, count, out, accumulate)
            }
            if let xTangent = x.tangent {
                adjoint?.contributeTangent {
                    dk_activate(kind, 2, 1, x.value.pointer, cotangent.value.pointer, xTangent.pointer, count, $0, $1)
                }
            }
        }
    }

    /// α·self + β·other.
    public func combined(_ alpha: Float = 1, plus other: Variable, times beta: Float = 1) -> Variable {
        precondition(shape == other.shape, "adding \(other.shape) to \(shape)")
        let count = value.count
        let output = Tensor(uninitialized: shape)
        dk_linear_combination(alpha, value.pointer, beta, other.value.pointer, count, output.pointer, 0)
        var outputTangent: Tensor?
        for (factor, tangent) in [(alpha, tangent), (beta, other.tangent)] {
            guard let tangent else { continue }
            let accumulate: Int32 = outputTangent == nil ? 0 : 1
            let sum = outputTangent ?? Tensor(uninitialized: shape)
            dk_linear_combination(factor, tangent.pointer, 0, nil, count, sum.pointer, accumulate)
            outputTangent = sum
        }
        return .result(output, tangent: outputTangent, of: [self, other]) {
            [first = adjoint, second = other.adjoint] cotangent in
            first?.contributeLinear(cotangent) { g, out, accumulate in
                dk_linear_combination(alpha, g.pointer, 0, nil, count, out, accumulate)
            }
            if beta == 1 {
                // Nobody needs the cotangent after this.
                second?.contribute(adopting: Dual(cotangent))
            } else {
                second?.contributeLinear(cotangent) { g, out, accumulate in
                    dk_linear_combination(beta, g.pointer, 0, nil, count, out, accumulate)
                }
            }
        }
    }

    public static func + (a: Variable, b: Variable) -> Variable { a.combined(plus: b) }
    public static func - (a: Variable, b: Variable) -> Variable { a.combined(plus: b, times: -1) }

    /// factor·self.
    public func scaled(by factor: Float) -> Variable {
        let count = value.count
        let scale = { (x: Tensor) -> Tensor in
            let result = Tensor(uninitialized: x.shape)
            dk_linear_combination(factor, x.pointer, 0, nil, count, result.pointer, 0)
            return result
        }
        return .result(scale(value), tangent: tangent.map(scale), of: [self]) { [adjoint] cotangent in
            adjoint?.contributeLinear(cotangent) { g, out, accumulate in
                dk_linear_combination(factor, g.pointer, 0, nil, count, out, accumulate)
            }
        }
    }

    /// Elementwise product with a tensor of the same shape.
    public func multiplied(by other: Variable) -> Variable {
        precondition(shape == other.shape, "multiplying \(shape) by \(other.shape)")
        let count = value.count
        let product: BilinearKernel = { a, b, out, accumulate in
            dk_multiply(1, a.pointer, b.pointer, count, out, accumulate)
        }
        let (a, b) = (saved, other.saved)
        let (aAdjoint, bAdjoint) = (adjoint, other.adjoint)
        let output = bilinear(Dual(self), Dual(other), shape: shape, product)
        return .result(
            output.value, tangent: output.tangent, of: [self, other],
            recomputed: a.isRecomputed ? { [shape] in bilinear(a.dual, b.dual, shape: shape, product) } : nil
        ) { cotangent in
            let g = Saved.kept(Dual(cotangent))
            aAdjoint?.contributeBilinear(g, b, product)
            bAdjoint?.contributeBilinear(g, a, product)
        }
    }

    /// Multiplies channel c of `self` `[…, C]` by `gate[c]`.
    public func gated(by gate: Variable) -> Variable {
        let channels = value.columns
        let rows = value.rowCount
        precondition(gate.value.count == channels, "gate of \(gate.value.count) channels on \(shape)")
        let scale: BilinearKernel = { x, s, out, accumulate in
            dk_scale_channels(x.pointer, s.pointer, rows, channels, out, accumulate)
        }
        let (x, m) = (saved, gate.saved)
        let (xAdjoint, mAdjoint) = (adjoint, gate.adjoint)
        let output = bilinear(Dual(self), Dual(gate), shape: shape, scale)
        return .result(
            output.value, tangent: output.tangent, of: [self, gate],
            recomputed: { [shape] in bilinear(x.dual, m.dual, shape: shape, scale) }
        ) { cotangent in
            let g = Saved.kept(Dual(cotangent))
            mAdjoint?.contributeBilinear(x, g) { x, g, out, accumulate in
                dk_dot_pixels(x.pointer, g.pointer, 1, rows, channels, out, accumulate)
            }
            xAdjoint?.contributeBilinear(g, m, scale)
        }
    }

    /// The same values under another shape.
    public func reshaped(_ shape: [Int]) -> Variable {
        let seen = { (x: Dual) in Dual(x.value.reshaped(shape), tangent: x.tangent?.reshaped(shape)) }
        let saved = saved
        let old = self.shape
        let output = seen(Dual(self))
        return .result(
            output.value, tangent: output.tangent, of: [self],
            recomputed: saved.isRecomputed ? { seen(saved.dual) } : nil
        ) { [adjoint] cotangent in
            // The memory is handed on as it is.
            adjoint?.contribute(
                adopting: Dual(
                    cotangent.value.reshaped(old), tangent: cotangent.tangent?.reshaped(old)))
        }
    }
}
