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
        let x = value
        let xTangent = tangent
        let count = x.count
        let output = Tensor(uninitialized: shape)
        dk_activate(kind, 0, 1, x.pointer, nil, nil, count, output.pointer, 0)
        let outputTangent = xTangent.map { xTangent in
            let result = Tensor(uninitialized: shape)
            dk_activate(kind, 1, 1, x.pointer, xTangent.pointer, nil, count, result.pointer, 0)
            return result
        }
        return .result(output, tangent: outputTangent, of: [self]) { [self] cotangent in
            // dx = g·φ′(x);  its tangent: ġ·φ′(x) + g·φ″(x)·ẋ
            contributeLinear(cotangent) { g, out, accumulate in
                dk_activate(kind, 1, 1, x.pointer, g.pointer, nil, count, out, accumulate)
            }
            if let xTangent {
                contributeTangent {
                    dk_activate(kind, 2, 1, x.pointer, cotangent.value.pointer, xTangent.pointer, count, $0, $1)
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
        return .result(output, tangent: outputTangent, of: [self, other]) { [self] cotangent in
            for (factor, input) in [(alpha, self), (beta, other)] {
                input.contributeLinear(cotangent) { g, out, accumulate in
                    dk_linear_combination(factor, g.pointer, 0, nil, count, out, accumulate)
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
        return .result(scale(value), tangent: tangent.map(scale), of: [self]) { [self] cotangent in
            contributeLinear(cotangent) { g, out, accumulate in
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
        let a = Dual(self)
        let b = Dual(other)
        let output = Tensor(uninitialized: shape)
        product(a.value, b.value, output.pointer, 0)
        return .result(output, tangent: bilinearTangent(a, b, shape: shape, product), of: [self, other]) {
            [self] cotangent in
            contributeBilinear(Dual(cotangent), b, product)
            other.contributeBilinear(Dual(cotangent), a, product)
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
        let x = Dual(self)
        let m = Dual(gate)
        let output = Tensor(uninitialized: shape)
        scale(x.value, m.value, output.pointer, 0)
        return .result(output, tangent: bilinearTangent(x, m, shape: shape, scale), of: [self, gate]) {
            [self] cotangent in
            contributeBilinear(Dual(cotangent), m, scale)
            gate.contributeBilinear(x, Dual(cotangent)) { x, g, out, accumulate in
                dk_dot_pixels(x.pointer, g.pointer, 1, rows, channels, out, accumulate)
            }
        }
    }

    /// The same values under another shape.
    public func reshaped(_ shape: [Int]) -> Variable {
        let old = self.shape
        return .result(value.reshaped(shape), tangent: tangent?.reshaped(shape), of: [self]) { [self] cotangent in
            contributeLinear(cotangent) { g, out, accumulate in
                dk_linear_combination(1, g.pointer, 0, nil, old.reduce(1, *), out, accumulate)
            }
        }
    }
}
