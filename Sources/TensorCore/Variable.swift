import CKernels

/// A node of the computation: a value, optionally its tangent (forward-mode derivative along a chosen direction), and
/// after `backward()` its gradient and the gradient's tangent.
///
/// When parameters carry tangents v, the backward pass is differentiated along them too, so that `gradientTangent`
/// holds the exact Hessian–vector product H·v (forward over reverse; Pearlmutter, "Fast exact multiplication by the
/// Hessian", 1994) at about twice the cost of a gradient.
public final class Variable {
    public private(set) var value: Tensor
    /// ∂value along the direction being differentiated; nil means zero.
    public var tangent: Tensor?
    /// ∂loss/∂value after `backward()`; nil if nothing reached this variable.
    public private(set) var gradient: Tensor?
    /// The tangent of `gradient`.
    public private(set) var gradientTangent: Tensor?
    public let requiresGradient: Bool
    var node: Node?

    /// Where gradients are to be written, for parameters that live in one flat arena.
    private var gradientSlot: Tensor?
    private var gradientTangentSlot: Tensor?

    /// A leaf: a parameter when `requiresGradient`, else a constant.
    public init(_ value: Tensor, requiresGradient: Bool = false, tangent: Tensor? = nil) {
        self.value = value
        self.requiresGradient = requiresGradient
        self.tangent = tangent
    }

    init(_ value: Tensor, tangent: Tensor?, node: Node?) {
        self.value = value
        self.tangent = tangent
        self.requiresGradient = node != nil
        self.node = node
    }

    public var shape: [Int] { value.shape }

    /// The same value, cut from what made it.
    public var detached: Variable { Variable(value) }

    /// Moves a parameter's memory: its contents are copied into `value` and gradients are written to `gradient`.
    public func relocate(to value: Tensor, gradient: Tensor?) {
        precondition(node == nil && value.count == self.value.count, "only a leaf of equal size can be relocated")
        if value.buffer !== self.value.buffer { value.assign(self.value) }
        self.value = value.reshaped(self.value.shape)
        self.gradientSlot = gradient?.reshaped(self.value.shape)
        self.gradient = nil
    }

    /// Chooses where the gradient's tangent is to be written.
    public func setGradientTangentSlot(_ slot: Tensor?) {
        gradientTangentSlot = slot?.reshaped(value.shape)
        gradientTangent = nil
    }

    /// Forgets the gradients; the next backward pass overwrites the memory.
    public func clearGradients() {
        gradient = nil
        gradientTangent = nil
    }

    /// Calls `write(pointer, accumulate)` with the place of the gradient; accumulate is 0 on the first contribution.
    func contribute(_ write: (UnsafeMutablePointer<Float>, Int32) -> Void) {
        if let gradient {
            write(gradient.pointer, 1)
        } else {
            let place = gradientSlot ?? Tensor(uninitialized: value.shape)
            write(place.pointer, 0)
            gradient = place
        }
    }

    /// The same for the gradient's tangent.
    func contributeTangent(_ write: (UnsafeMutablePointer<Float>, Int32) -> Void) {
        if let gradientTangent {
            write(gradientTangent.pointer, 1)
        } else {
            let place = gradientTangentSlot ?? Tensor(uninitialized: value.shape)
            write(place.pointer, 0)
            gradientTangent = place
        }
    }

    /// Adds a freshly made gradient (and tangent), keeping its memory when it is the first to arrive.
    func contribute(adopting gradient: Dual) {
        guard requiresGradient else { return }
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

    /// Takes the gradient out, so that its memory is free once the caller has used it.
    fileprivate func takeCotangent() -> Cotangent? {
        guard let gradient else { return nil }
        let result = Cotangent(value: gradient, tangent: gradientTangent)
        clearGradients()
        return result
    }

    /// Propagates ∂self/∂· to every leaf that requires a gradient. `self` must be a scalar. Intermediate results are
    /// released on the way, so a graph can be traversed once.
    public func backward() {
        precondition(value.count == 1, "backward() starts from a scalar, not from shape \(shape)")
        guard node != nil else { return }
        var order: [Variable] = []
        collectGraph(into: &order)
        gradient = Tensor(ones: value.shape)
        while let variable = order.popLast() {
            guard let node = variable.node else { continue }
            if let cotangent = variable.takeCotangent() { node.runBackward(cotangent) }
            node.backward = nil
            node.inputs = []
        }
    }

    /// Every non-leaf reachable from here, in ascending order of creation, which is a topological order.
    private func collectGraph(into order: inout [Variable]) {
        var stack: [Variable] = [self]
        var seen: Set<UInt64> = []
        while let variable = stack.popLast() {
            guard let node = variable.node, seen.insert(node.serial).inserted else { continue }
            order.append(variable)
            stack.append(contentsOf: node.inputs)
        }
        order.sort { ($0.node?.serial ?? 0) < ($1.node?.serial ?? 0) }
    }
}

/// The gradient flowing into an operation's output, and its tangent (nil means zero).
struct Cotangent {
    let value: Tensor
    let tangent: Tensor?
}

/// How a variable was made.
final class Node {
    let serial: UInt64
    var inputs: [Variable]
    var backward: ((Cotangent) -> Void)?
    private let tag = OperationProfile.openTag

    init(inputs: [Variable], backward: @escaping (Cotangent) -> Void) {
        self.serial = Autograd.nextSerial()
        self.inputs = inputs
        self.backward = backward
    }

    func runBackward(_ cotangent: Cotangent) {
        guard let tag else {
            backward?(cotangent)
            return
        }
        tag.timedBackward { backward?(cotangent) }
    }
}

/// Switches for what operations record.
public enum Autograd {
    @TaskLocal public static var isRecording = true
    private static let counter = SerialCounter()

    static func nextSerial() -> UInt64 { counter.next() }

    /// Runs `body` without recording anything for a backward pass: intermediate results are freed at once.
    public static func withoutRecording<Result>(_ body: () throws -> Result) rethrows -> Result {
        try $isRecording.withValue(false, operation: body)
    }
}

extension Variable {
    /// Makes an operation's output: recorded if any input asks for a gradient.
    static func result(
        _ value: Tensor, tangent: Tensor? = nil, of inputs: [Variable?], backward: @escaping (Cotangent) -> Void
    ) -> Variable {
        guard Autograd.isRecording else { return Variable(value, tangent: tangent, node: nil) }
        let recorded = inputs.compactMap { $0 }.filter(\.requiresGradient)
        guard !recorded.isEmpty else { return Variable(value, tangent: tangent, node: nil) }
        return Variable(value, tangent: tangent, node: Node(inputs: recorded, backward: backward))
    }
}
