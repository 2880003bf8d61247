import CKernels

/// y (+)= f⁽ⁿ⁾(x)·(u or 1)·(v or 1), elementwise: the n-th derivative of a function of one number, n ≤ 2.
private typealias DerivativeKernel = (
    _ order: Int32, _ x: Tensor, _ u: Tensor?, _ v: Tensor?, _ out: UnsafeMutablePointer<Float>, _ accumulate: Int32
) -> Void

extension Variable {
    /// φ(x), elementwise; x itself in a `SynapticPass`.
    public func activated(_ activation: Activation) -> Variable {
        guard !SynapticPass.isOn else { return self }
        let kind = activation.kernel
        return mapped { order, x, u, v, out, accumulate in
            dk_activate(kind, order, 1, x.pointer, u?.pointer, v?.pointer, x.count, out, accumulate)
        }
    }

    /// f(x), elementwise.
    public func applying(_ function: Pointwise) -> Variable {
        let function = function.kernel
        return mapped { order, x, u, v, out, accumulate in
            dk_apply(function, order, 1, x.pointer, u?.pointer, v?.pointer, x.count, out, accumulate)
        }
    }

    private func mapped(_ kernel: @escaping DerivativeKernel) -> Variable {
        let saved = saved
        let adjoint = adjoint
        let map = { (x: Dual) in
            let output = Tensor(uninitialized: x.value.shape)
            kernel(0, x.value, nil, nil, output.pointer, 0)
            let outputTangent = x.tangent.map { xTangent in
                let result = Tensor(uninitialized: output.shape)
                kernel(1, x.value, xTangent, nil, result.pointer, 0)
                return result
            }
            return Dual(output, tangent: outputTangent)
        }
        let output = map(Dual(self))
        return .result(
            output.value, tangent: output.tangent, of: [self], recomputed: Recomputation(of: [saved]) { map($0[0]) }
        ) {
            cotangent in
            // dx = g·f′(x);  its tangent: ġ·f′(x) + g·f″(x)·ẋ
            let x = saved.dual
            adjoint?.contributeLinear(cotangent) { g, out, accumulate in kernel(1, x.value, g, nil, out, accumulate) }
            if let xTangent = x.tangent {
                adjoint?.contributeTangent { kernel(2, x.value, cotangent.value, xTangent, $0, $1) }
            }
        }
    }

    /// `value` in the forward pass, and in derivatives factor·self: the straight-through estimator of a function of
    /// `self` that has no useful derivative of its own, such as a step. The gradient reaches `self` times `factor`, and
    /// so do tangents, so that Hessian–vector products are those of the function that the gradients are of.
    ///
    /// Based on: Bengio et al., "Estimating or Propagating Gradients Through Stochastic Neurons", 2013,
    /// arXiv 1308.3432.
    ///
    /// - Parameters:
    ///   - value: of the shape of `self`; not to be changed afterwards.
    ///   - factor: what gradients are multiplied by.
    public func straightThrough(value: Tensor, factor: Float = 1) -> Variable {
        precondition(value.shape == shape, "a value of shape \(value.shape) in the place of \(shape)")
        let count = value.count
        let outputTangent = tangent.map { tangent in
            let result = Tensor(uninitialized: shape)
            dk_linear_combination(factor, tangent.pointer, 0, nil, count, result.pointer, 0)
            return result
        }
        return .result(value, tangent: outputTangent, of: [self]) { [adjoint] cotangent in
            adjoint?.contributeLinear(cotangent) { g, out, accumulate in
                dk_linear_combination(factor, g.pointer, 0, nil, count, out, accumulate)
            }
        }
    }
}
