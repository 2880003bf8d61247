import CKernels

extension Variable {
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

    /// self + constant.
    public func adding(_ constant: Float) -> Variable {
        let shift = { (x: Dual) in
            let sum = Tensor(uninitialized: x.value.shape)
            var (one, constant) = (Float(1), constant)
            dk_affine_images(x.value.pointer, &one, nil, nil, &constant, 1, sum.count, 1, sum.pointer, 0)
            return Dual(sum, tangent: x.tangent)
        }
        let saved = saved
        let output = shift(Dual(self))
        return .result(
            output.value, tangent: output.tangent, of: [self],
            recomputed: saved.isRecomputed ? Recomputation(of: [saved]) { shift($0[0]) } : nil
        ) { [adjoint] cotangent in
            // Nobody needs the cotangent after this.
            adjoint?.contribute(adopting: Dual(cotangent))
        }
    }

    /// factor·self, `factor` being a scalar.
    public func scaled(by factor: Variable) -> Variable {
        precondition(factor.value.count == 1, "a factor of shape \(factor.shape)")
        let count = value.count
        let scale: BilinearKernel = { x, s, out, accumulate in
            dk_linear_combination(s.pointer[0], x.pointer, 0, nil, count, out, accumulate)
        }
        let (x, s) = (saved, factor.saved)
        let (xAdjoint, sAdjoint) = (adjoint, factor.adjoint)
        let output = Dual.bilinear(Dual(self), Dual(factor), shape: shape, scale)
        return .result(
            output.value, tangent: output.tangent, of: [self, factor],
            recomputed: Recomputation(of: [x, s]) { [shape] in Dual.bilinear($0[0], $0[1], shape: shape, scale) }
        ) { cotangent in
            let g = Saved.kept(Dual(cotangent))
            sAdjoint?.contributeBilinear(x, g) { x, g, out, accumulate in
                out[0] = Float(dk_dot(x.pointer, g.pointer, count)) + (accumulate == 0 ? 0 : out[0])
            }
            xAdjoint?.contributeBilinear(g, s, scale)
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
        let output = Dual.bilinear(Dual(self), Dual(other), shape: shape, product)
        return .result(
            output.value, tangent: output.tangent, of: [self, other],
            recomputed: a.isRecomputed
                ? Recomputation(of: [a, b]) { [shape] in Dual.bilinear($0[0], $0[1], shape: shape, product) } : nil
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
        let output = Dual.bilinear(Dual(self), Dual(gate), shape: shape, scale)
        return .result(
            output.value, tangent: output.tangent, of: [self, gate],
            recomputed: Recomputation(of: [x, m]) { [shape] in Dual.bilinear($0[0], $0[1], shape: shape, scale) }
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
            recomputed: saved.isRecomputed ? Recomputation(of: [saved]) { seen($0[0]) } : nil
        ) { [adjoint] cotangent in
            // The memory is handed on as it is.
            adjoint?.contribute(
                adopting: Dual(
                    cotangent.value.reshaped(old), tangent: cotangent.tangent?.reshaped(old)))
        }
    }
}
