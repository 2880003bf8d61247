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

extension Dual {
    /// f(a, b) with its tangent.
    static func bilinear(_ a: Dual, _ b: Dual, shape: [Int], _ kernel: BilinearKernel) -> Dual {
        let output = Tensor(uninitialized: shape)
        kernel(a.value, b.value, output.pointer, 0)
        return Dual(output, tangent: bilinearTangent(a, b, shape: shape, kernel))
    }

    /// f(ȧ, b) + f(a, ḃ), or nil when neither operand has a tangent.
    static func bilinearTangent(_ a: Dual, _ b: Dual, shape: [Int], _ kernel: BilinearKernel) -> Tensor? {
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
}
