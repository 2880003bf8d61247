import Layers
import TensorCore

/// Masks as a network computes with them, for as long as they are on it.
public final class AppliedMasks {
    public let space: PruningSpace
    private let variables: [Variable?]
    private let gradients: Tensor?
    private let tangents: Tensor?

    /// - Parameters:
    ///   - masks: how they are.
    ///   - isTrainable: whether gradients of the masks are wanted. Otherwise sites that are all ones are left as they
    ///     are.
    ///   - hasTangents: whether tangents of these gradients are, too.
    fileprivate init(_ masks: Masks, isTrainable: Bool, hasTangents: Bool) {
        space = masks.space
        let values = Tensor(masks.values, shape: [masks.values.count])
        gradients = isTrainable ? Tensor(zeros: [space.count]) : nil
        tangents = isTrainable && hasTangents ? Tensor(zeros: [space.count]) : nil
        variables = zip(masks.space.shapes, masks.space.ranges).map { [gradients, tangents] shape, range in
            guard isTrainable || !masks.values[range].allSatisfy({ $0 == 1 }) else { return nil }
            let variable = Variable(values.rows(range).reshaped(shape), requiresGradient: isTrainable)
            if let gradients { variable.relocate(to: variable.value, gradient: gradients.rows(range)) }
            if let tangents { variable.setGradientTangentSlot(tangents.rows(range)) }
            return variable
        }
    }

    /// Runs `body` with the masks on, then puts back what was there.
    fileprivate func whileOn<Result>(_ body: (AppliedMasks) throws -> Result) rethrows -> Result {
        var restore: [() -> Void] = []
        for (site, variable) in zip(space.sites, variables) {
            guard let variable else { continue }
            switch site {
            case .axis(let group):
                let former = group.axis.gating
                restore.append { group.axis.gating = former }
                group.axis.gating = LeafGate(variable)
            case .weight(let parameter, _):
                let former = parameter.reparameterization
                restore.append { parameter.reparameterization = former }
                parameter.reparameterization = LeafGate(variable)
            }
        }
        defer { restore.forEach { $0() } }
        return try body(self)
    }

    /// Puts other masks in the place of those that are on the network.
    ///
    /// - Precondition: the masks are trainable, and `masks` are of the same space.
    public func assign(_ masks: Masks) {
        precondition(gradients != nil && masks.space === space, "masks of another space, or none that move")
        for (variable, range) in zip(variables, space.ranges) {
            masks.values[range].withUnsafeBufferPointer { values in
                guard let start = values.baseAddress, let variable else { return }
                variable.value.pointer.update(from: start, count: values.count)
            }
        }
    }

    /// ∂L/∂m of every coordinate since the last call, and its tangent where there is one: zero where nothing arrived.
    /// They start anew.
    ///
    /// - Precondition: the masks are trainable.
    public func takeGradients() -> (gradients: [Float], tangents: [Float]) {
        precondition(gradients != nil, "masks without gradients")
        func taken(_ flat: Tensor?, _ arrived: (Variable) -> Bool) -> [Float] {
            guard var values = flat?.array else { return [] }
            for (variable, range) in zip(variables, space.ranges) where variable.map(arrived) != true {
                for index in range { values[index] = 0 }
            }
            return values
        }
        let result = (taken(gradients) { $0.gradient != nil }, taken(tangents) { $0.gradientTangent != nil })
        for variable in variables { variable?.clearGradients() }
        return result
    }
}

extension Masks {
    /// Runs `body` with the masks on the network: its axes are gated, its weights multiplied. Afterwards the network is
    /// as it was, however `body` ends.
    ///
    /// - Parameters:
    ///   - trainable: whether gradients of the masks are wanted.
    ///   - hasTangents: whether tangents of these gradients are, which Hessian–vector products need: not in training,
    ///     where losses of derivatives have their own use for them.
    ///   - body: is given the masks as they lie on the network.
    public func applied<Result>(
        trainable: Bool = false, withTangents hasTangents: Bool = true, _ body: (AppliedMasks) throws -> Result
    ) rethrows -> Result {
        try AppliedMasks(self, isTrainable: trainable, hasTangents: hasTangents).whileOn(body)
    }

    /// The same, for those who need nothing of the masks meanwhile.
    public func applied<Result>(_ body: () throws -> Result) rethrows -> Result {
        try applied(trainable: false) { _ in try body() }
    }
}
