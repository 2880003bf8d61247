import CKernels

/// What the backward pass knows of a variable that asks for a gradient: the gradient with its tangent, and how the
/// variable was made. It holds no value, so that a value lives as long as somebody uses it: whoever computes with the
/// variable, or an operation that saved it for its backward pass.
final class Adjoint {
    let shape: [Int]
    fileprivate(set) var gradient: Tensor?
    fileprivate(set) var gradientTangent: Tensor?
    fileprivate(set) var node: Node?

    /// A contribution that is made when the gradient is needed or the next one comes: until then it takes no memory.
    private var deferred: (() -> Void)?

    /// Where gradients are to be written, for parameters that live in one flat arena.
    var gradientSlot: Tensor?
    var gradientTangentSlot: Tensor?

    init(shape: [Int], node: Node? = nil) {
        self.shape = shape
        self.node = node
    }

    /// Forgets the gradients; the next backward pass overwrites the memory.
    func clearGradients() {
        deferred = nil
        gradient = nil
        gradientTangent = nil
    }

    func clearGradientTangent() { gradientTangent = nil }

    /// Whether what reaches this adjoint as a gradient's tangent is its gradient, and what reaches it as a gradient is
    /// nothing: of a leaf, where a loss of derivatives is differentiated (see `Variable.separated`).
    private var takesTangents: Bool {
        guard node == nil, Autograd.isDifferentiatingDerivatives else { return false }
        precondition(
            gradientTangentSlot == nil, "a loss of derivatives has gradients, but no Hessian–vector products")
        return true
    }

    /// Puts a contribution off, in its place among the others: sums are formed in the order in which contributions
    /// come. For what is made of something smaller than itself. A leaf's are made at once.
    func contributeLater(_ contribution: @escaping () -> Void) {
        settle()
        if node == nil { contribution() } else { deferred = contribution }
    }

    private func settle() {
        guard let contribution = deferred else { return }
        deferred = nil
        contribution()
    }

    /// Calls `write(pointer, accumulate)` with the place of the gradient; accumulate is 0 on the first contribution.
    func contribute(_ write: (UnsafeMutablePointer<Float>, Int32) -> Void) {
        if !takesTangents { addToGradient(write) }
    }

    private func addToGradient(_ write: (UnsafeMutablePointer<Float>, Int32) -> Void) {
        settle()
        if let gradient {
            write(gradient.pointer, 1)
        } else {
            let place = gradientSlot ?? Tensor(uninitialized: shape)
            write(place.pointer, 0)
            gradient = place
        }
    }

    /// The same for the gradient's tangent.
    func contributeTangent(_ write: (UnsafeMutablePointer<Float>, Int32) -> Void) {
        guard !takesTangents else { return addToGradient(write) }
        settle()
        if let gradientTangent {
            write(gradientTangent.pointer, 1)
        } else {
            let place = gradientTangentSlot ?? Tensor(uninitialized: shape)
            write(place.pointer, 0)
            gradientTangent = place
        }
    }

    /// Adds a freshly made gradient (and tangent), keeping its memory when it is the first to arrive.
    func contribute(adopting gradient: Dual) {
        if takesTangents {
            guard let tangent = gradient.tangent else { return }
            return addToGradient { dk_linear_combination(1, tangent.pointer, 0, nil, tangent.count, $0, $1) }
        }
        settle()
        if self.gradient == nil && gradientSlot == nil {
            self.gradient = gradient.value
        } else {
            contribute { dk_linear_combination(1, gradient.value.pointer, 0, nil, gradient.value.count, $0, $1) }
        }
        guard let tangent = gradient.tangent else { return }
        if gradientTangent == nil && gradientTangentSlot == nil {
            gradientTangent = tangent
        } else {
            contributeTangent { dk_linear_combination(1, tangent.pointer, 0, nil, tangent.count, $0, $1) }
        }
    }

    /// Adds f(a, b) to the gradient and, by the product rule, f(ȧ, b) + f(a, ḃ) to the gradient's tangent. Most kernels
    /// of a network are bilinear, so this one rule makes their Hessian–vector products exact.
    func contributeBilinear(_ a: Saved, _ b: Saved, _ kernel: BilinearKernel) {
        let (a, b) = (a.dual, b.dual)
        contribute { kernel(a.value, b.value, $0, $1) }
        if let tangent = a.tangent { contributeTangent { kernel(tangent, b.value, $0, $1) } }
        if let tangent = b.tangent { contributeTangent { kernel(a.value, tangent, $0, $1) } }
    }

    /// Adds f(g) for a kernel linear in the cotangent alone.
    func contributeLinear(
        _ cotangent: Cotangent, _ kernel: (_ g: Tensor, _ out: UnsafeMutablePointer<Float>, _ accumulate: Int32) -> Void
    ) {
        contribute { kernel(cotangent.value, $0, $1) }
        if let tangent = cotangent.tangent { contributeTangent { kernel(tangent, $0, $1) } }
    }

    /// Takes the gradient out, so that its memory is free, or the operation's to reuse, once it has used it.
    private func takeCotangent() -> Cotangent? {
        settle()
        guard let gradient else { return nil }
        let result = Cotangent(value: gradient, tangent: gradientTangent)
        clearGradients()
        return result
    }

    /// Propagates the derivative of this scalar to every leaf that requires a gradient.
    func backward() {
        var order = graph()
        let one = Tensor(ones: shape)
        guard order.contains(where: { $0.node?.readsTangent ?? false }) else {
            return backward(through: &order, from: Cotangent(value: one, tangent: nil))
        }
        Autograd.$isDifferentiatingDerivatives.withValue(true) {
            backward(through: &order, from: Cotangent(value: Tensor(zeros: shape), tangent: one))
        }
    }

    /// Propagates `cotangent` to every leaf that requires a gradient. What was saved is released on the way,
    /// so a graph can be traversed once.
    ///
    /// - Parameters:
    ///   - first: a moment; what was recorded up to it is treated as a leaf.
    ///   - boundary: what was recorded up to then and may be met.
    ///     The pass that is under way carries their gradients on.
    func backward(from cotangent: Cotangent, recordedAfter first: UInt64, reaching boundary: [Adjoint]) {
        var order = graph(recordedAfter: first, reaching: boundary)
        backward(through: &order, from: cotangent)
    }

    /// - Parameter order: as `graph` has it; nothing is left of it.
    private func backward(through order: inout [Adjoint], from cotangent: Cotangent) {
        contribute(adopting: Dual(cotangent))
        while let adjoint = order.popLast() {
            guard let node = adjoint.node else { continue }
            if let cotangent = adjoint.takeCotangent() { node.runBackward(cotangent) }
            node.backward = nil
            node.inputs = []
        }
    }

    /// Every non-leaf reachable from here, in ascending order of creation, which is a topological order.
    private func graph(recordedAfter first: UInt64 = 0, reaching boundary: [Adjoint] = []) -> [Adjoint] {
        var order: [Adjoint] = []
        var stack: [Adjoint] = [self]
        var seen: Set<UInt64> = []
        while let adjoint = stack.popLast() {
            guard let node = adjoint.node else { continue }
            guard node.serial > first else {
                precondition(
                    boundary.contains { $0 === adjoint },
                    "a checkpointed body computes with a variable of shape \(adjoint.shape) that was recorded "
                        + "outside it and is not among its inputs: it would get no gradient")
                continue
            }
            guard seen.insert(node.serial).inserted else { continue }
            order.append(adjoint)
            stack.append(contentsOf: node.inputs)
        }
        order.sort { ($0.node?.serial ?? 0) < ($1.node?.serial ?? 0) }
        return order
    }
}

/// The gradient flowing into an operation's output, and its tangent (nil means zero). The operation owns the memory.
struct Cotangent {
    let value: Tensor
    let tangent: Tensor?
}

/// How a variable was made.
final class Node {
    let serial: UInt64
    /// Whether the operation's output is made of its input's tangent.
    let readsTangent: Bool
    fileprivate(set) var inputs: [Adjoint]
    fileprivate var backward: ((Cotangent) -> Void)?
    private let tag = OperationProfile.openTag

    init(inputs: [Adjoint], readsTangent: Bool = false, backward: @escaping (Cotangent) -> Void) {
        self.serial = Autograd.nextSerial()
        self.readsTangent = readsTangent
        self.inputs = inputs
        self.backward = backward
    }

    fileprivate func runBackward(_ cotangent: Cotangent) {
        guard let tag else {
            backward?(cotangent)
            return
        }
        tag.timedBackward { backward?(cotangent) }
    }
}
