/// A value of the computation, optionally with its tangent (forward-mode derivative along a chosen direction), and
/// after `backward()` its gradient and the gradient's tangent.
///
/// When parameters carry tangents v, the backward pass is differentiated along them too, so that `gradientTangent`
/// holds the exact Hessian–vector product H·v (forward over reverse; Pearlmutter, "Fast exact multiplication by the
/// Hessian", 1994) at about twice the cost of a gradient.
///
/// What is recorded for the backward pass does not hold on to variables, but to what each operation saved of them. A
/// result that nobody needs any more, such as one that was only added to something, is freed as soon as the variable
/// is; and so is one that is cheap to compute again from what is kept anyway (a normalisation, an activation, an
/// upsampled image), which is done, for one operation at a time, when the backward pass needs it. Queries, keys and
/// values are, too, though they cost a product each: of every token there are three of them,
/// and they live from one end of a step to the other.
public final class Variable {
    public private(set) var value: Tensor
    /// ∂value along the direction being differentiated; nil means zero.
    public var tangent: Tensor?
    /// nil where no gradient is asked for.
    let adjoint: Adjoint?
    /// How the value is computed again; nil where that is not worth it.
    private let recomputation: Recomputation?

    /// A leaf: a parameter when `requiresGradient`, else a constant.
    public init(_ value: Tensor, requiresGradient: Bool = false, tangent: Tensor? = nil) {
        self.value = value
        self.tangent = tangent
        adjoint = requiresGradient ? Adjoint(shape: value.shape) : nil
        recomputation = nil
    }

    private init(_ value: Tensor, tangent: Tensor?, adjoint: Adjoint, recomputation: Recomputation?) {
        self.value = value
        self.tangent = tangent
        self.adjoint = adjoint
        self.recomputation = recomputation
    }

    public var shape: [Int] { value.shape }
    public var requiresGradient: Bool { adjoint != nil }
    /// ∂loss/∂value after `backward()`; nil if nothing reached this variable.
    public var gradient: Tensor? { adjoint?.gradient }
    /// The tangent of `gradient`.
    public var gradientTangent: Tensor? { adjoint?.gradientTangent }

    /// The same value, cut from what made it.
    public var detached: Variable { Variable(value) }

    /// What an operation keeps of this variable when its backward pass needs the value.
    var saved: Saved {
        if let recomputation, recomputation.isCheap { return .recomputed(recomputation) }
        return .kept(Dual(self))
    }

    /// The same for operations whose inputs take more memory than is worth the time of a product.
    var savedFrugally: Saved { recomputation.map(Saved.recomputed) ?? .kept(Dual(self)) }

    /// Moves a parameter's memory: its contents are copied into `value` and gradients are written to `gradient`.
    public func relocate(to value: Tensor, gradient: Tensor?) {
        precondition(
            adjoint?.node == nil && value.count == self.value.count, "only a leaf of equal size can be relocated")
        if value.buffer !== self.value.buffer { value.assign(self.value) }
        self.value = value.reshaped(self.value.shape)
        adjoint?.gradientSlot = gradient?.reshaped(self.value.shape)
        adjoint?.clearGradients()
    }

    /// Chooses where the gradient's tangent is to be written.
    public func setGradientTangentSlot(_ slot: Tensor?) {
        adjoint?.gradientTangentSlot = slot?.reshaped(value.shape)
        adjoint?.clearGradientTangent()
    }

    /// Forgets the gradients; the next backward pass overwrites the memory.
    public func clearGradients() { adjoint?.clearGradients() }

    /// Propagates ∂self/∂· to every leaf that requires a gradient. `self` must be a scalar. What was recorded is
    /// released on the way, so a graph can be traversed once.
    public func backward() {
        precondition(value.count == 1, "backward() starts from a scalar, not from shape \(shape)")
        guard let adjoint, adjoint.node != nil else { return }
        adjoint.backward()
    }
}

/// Switches for what operations record.
public enum Autograd {
    @TaskLocal public static var isRecording = true
    /// Whether the backward pass under way is that of a loss of derivatives (see `Variable.separated`).
    @TaskLocal static var isDifferentiatingDerivatives = false
    private static let counter = SerialCounter()

    static func nextSerial() -> UInt64 { counter.next() }

    /// Runs `body` without recording anything for a backward pass: intermediate results are freed at once.
    public static func withoutRecording<Result>(_ body: () throws -> Result) rethrows -> Result {
        try $isRecording.withValue(false, operation: body)
    }
}

extension Variable {
    /// Makes an operation's output: recorded if any input asks for a gradient.
    ///
    /// - Parameters:
    ///   - recomputed: gives the bits of `value` and `tangent` again from what is kept anyway; nil to keep them where
    ///     they are needed.
    ///   - readsTangent: whether `value` is made of an input's tangent.
    ///   - backward: must not hold on to variables, but to their adjoints and to what was saved of them.
    static func result(
        _ value: Tensor, tangent: Tensor? = nil, of inputs: [Variable?], recomputed: Recomputation? = nil,
        readsTangent: Bool = false, backward: @escaping (Cotangent) -> Void
    ) -> Variable {
        guard Autograd.isRecording, inputs.contains(where: { $0?.requiresGradient ?? false }) else {
            return Variable(value, tangent: tangent)
        }
        return recorded(
            value, tangent: tangent, of: inputs, recomputed: recomputed, readsTangent: readsTangent, backward: backward)
    }

    /// The same, recorded whatever the inputs ask for.
    static func recorded(
        _ value: Tensor, tangent: Tensor?, of inputs: [Variable?], recomputed: Recomputation? = nil,
        readsTangent: Bool = false, backward: @escaping (Cotangent) -> Void
    ) -> Variable {
        let node = Node(
            inputs: inputs.compactMap { $0?.adjoint }, readsTangent: readsTangent, backward: backward)
        return Variable(
            value, tangent: tangent, adjoint: Adjoint(shape: value.shape, node: node), recomputation: recomputed)
    }
}
