/// A value with its tangent, as an operation's input or a cotangent.
struct Dual {
    let value: Tensor
    let tangent: Tensor?

    init(_ variable: Variable) {
        value = variable.value
        tangent = variable.tangent
    }

    init(_ cotangent: Cotangent) {
        value = cotangent.value
        tangent = cotangent.tangent
    }

    init(_ value: Tensor, tangent: Tensor?) {
        self.value = value
        self.tangent = tangent
    }
}

/// A kernel that is linear in each of two operands: out (+)= f(a, b).
typealias BilinearKernel = (_ a: Tensor, _ b: Tensor, _ out: UnsafeMutablePointer<Float>, _ accumulate: Int32) -> Void

extension Variable {
    /// Adds f(a, b) to this variable's gradient and, by the product rule, f(ȧ, b) + f(a, ḃ) to the gradient's tangent.
    /// Most kernels of a network are bilinear, so this one rule makes their Hessian–vector products exact.
    func contributeBilinear(_ a: Dual, _ b: Dual, _ kernel: BilinearKernel) {
        guard requiresGradient else { return }
        contribute { kernel(a.value, b.value, $0, $1) }
        if let tangent = a.tangent { contributeTangent { kernel(tangent, b.value, $0, $1) } }
        if let tangent = b.tangent { contributeTangent { kernel(a.value, tangent, $0, $1) } }
    }

    /// Adds f(g) for a kernel linear in the cotangent alone.
    func contributeLinear(
        _ cotangent: Cotangent, _ kernel: (_ g: Tensor, _ out: UnsafeMutablePointer<Float>, _ accumulate: Int32) -> Void
    ) {
        guard requiresGradient else { return }
        contribute { kernel(cotangent.value, $0, $1) }
        if let tangent = cotangent.tangent { contributeTangent { kernel(tangent, $0, $1) } }
    }
}

/// f(ȧ, b) + f(a, ḃ), or nil when neither operand has a tangent.
func bilinearTangent(_ a: Dual, _ b: Dual, shape: [Int], _ kernel: BilinearKernel) -> Tensor? {
    guard a.tangent != nil || b.tangent != nil else { return nil }
    let result = Tensor(uninitialized: shape)
    var accumulate: Int32 = 0
    if let tangent = a.tangent {
        kernel(tangent, b.value, result.pointer, 0)
        accumulate = 1
    }
    if let tangent = b.tangent { kernel(a.value, tangent, result.pointer, accumulate) }
    return result
}
