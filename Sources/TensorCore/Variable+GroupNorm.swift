/// Which channels are normalised together. Groups may be unequal, as pruning leaves them.
public struct NormalizationGroups: Sendable, Equatable {
    /// The group's number of each channel.
    let groupOfChannel: [Int32]
    /// One more than the largest number; groups may have no channel left.
    let count: Int

    public var width: Int { groupOfChannel.count }

    /// Channels of each group that has any left.
    public var widths: [Int] {
        (0..<Int32(count)).map { group in groupOfChannel.count { $0 == group } }.filter { $0 > 0 }
    }

    public init(groupOfChannel: [Int]) {
        self.groupOfChannel = groupOfChannel.map(Int32.init)
        count = (groupOfChannel.max() ?? -1) + 1
    }

    /// `count` groups of equal width.
    public init(width: Int, count: Int) {
        precondition(count > 0 && width % count == 0, "\(width) channels in \(count) groups")
        self.init(groupOfChannel: (0..<width).map { $0 / (width / count) })
    }
}

extension Variable {
    /// Group normalisation, an affine map, a pointwise non-linearity and gates, in two passes over the data:
    ///
    ///     y = m_c · φ( ((x − μ)/√(v + ε)·γ_c + β_c)·(1 + scale[b,c]) + shift[b,c] )
    ///
    /// with moments weighted by the gates, μ = Σ m·x/Σ m and v = Σ m·(x − μ)²/Σ m over a group's channels and the
    /// image's pixels. Without gates this is PyTorch's `group_norm`.
    ///
    /// - Parameters:
    ///   - groups: which channel belongs to which.
    ///   - gamma: γ, `[C]`.
    ///   - beta: β, `[C]`.
    ///   - epsilon: ε.
    ///   - activation: φ.
    ///   - gate: m, `[C]`, in [0, 1]; nil for ones.
    ///   - scale: `[B, C]` (diffusers' "scale_shift" time conditioning); nil for zeros.
    ///   - shift: likewise.
    public func groupNormalized(
        groups: NormalizationGroups, gamma: Variable, beta: Variable, epsilon: Float, activation: Activation,
        gate: Variable? = nil, scale: Variable? = nil, shift: Variable? = nil
    ) -> Variable {
        Self.groupNormalized(
            [self], groups: groups, gamma: gamma, beta: beta, epsilon: epsilon, activation: activation, gate: gate,
            scale: scale, shift: shift)
    }

    /// The same of the concatenation of `parts` along the channels, which is not made: each part is normalised into its
    /// place, and its gradient goes straight to it. Groups may have channels of several parts.
    public static func groupNormalized(
        _ parts: [Variable], groups: NormalizationGroups, gamma: Variable, beta: Variable, epsilon: Float,
        activation: Activation, gate: Variable? = nil, scale: Variable? = nil, shift: Variable? = nil
    ) -> Variable {
        precondition(
            !parts.isEmpty && parts.allSatisfy { $0.shape.dropLast() == parts[0].shape.dropLast() },
            "normalising \(parts.map(\.shape))")
        if !Autograd.isRecording, ![gamma, beta, gate, scale, shift].contains(where: { $0?.tangent != nil }),
            !parts.contains(where: { $0.tangent != nil })
        {
            return Variable(
                GroupNormProblem.prediction(
                    parts.map(\.value), groups: groups, gamma: gamma.value, beta: beta.value, epsilon: epsilon,
                    activation: activation, gate: gate?.value, scale: scale?.value, shift: shift?.value))
        }
        let problem = GroupNormProblem(
            parts: parts.map(\.saved), widths: parts.map { $0.value.columns }, shape: parts[0].shape,
            partsHaveTangent: parts.contains { $0.tangent != nil }, gamma: Dual(gamma), beta: Dual(beta),
            gate: gate.map(Dual.init), scale: scale.map(Dual.init), shift: shift.map(Dual.init), groups: groups,
            epsilon: Double(epsilon), kind: activation.kernel)
        precondition(
            groups.width == problem.channels && gamma.value.count == problem.channels,
            "normalising \(parts.map(\.shape)) by \(groups.width)")
        return normalized(parts, by: problem, gamma, beta, gate, scale, shift)
    }

    /// What `problem` makes of `parts`.
    ///
    /// - Parameters:
    ///   - parts: the inputs that it is of.
    ///   - problem: of these.
    ///   - gamma: γ.
    ///   - beta: β.
    ///   - gate: m; nil for ones.
    ///   - scale: nil for zeros.
    ///   - shift: likewise.
    ///   - show: shown the moments and the maps made of them.
    static func normalized(
        _ parts: [Variable], by problem: GroupNormProblem, _ gamma: Variable, _ beta: Variable, _ gate: Variable?,
        _ scale: Variable? = nil, _ shift: Variable? = nil, showing show: (NormalizationState) -> Void = { _ in }
    ) -> Variable {
        let inputs = parts.map(Dual.init)
        let state = problem.normalize(inputs)
        show(state)
        let output = problem.output(inputs, state)

        guard Autograd.isRecording else { return Variable(output.value, tangent: output.tangent) }
        let partAdjoints = parts.map(\.adjoint)
        let others = [gamma, beta, gate, scale, shift].map { $0?.adjoint }
        return .result(
            output.value, tangent: output.tangent, of: parts + [gamma, beta, gate, scale, shift],
            recomputed: Recomputation(of: problem.parts) { problem.output($0, state) }
        ) { cotangent in
            let gradients = problem.backward(Dual(cotangent), state)
            for (adjoint, gradient) in zip(partAdjoints, gradients.parts) { adjoint?.contribute(adopting: gradient) }
            let rest = [gradients.gamma, gradients.beta, gradients.gate, gradients.scale, gradients.shift]
            for (adjoint, gradient) in zip(others, rest) {
                if let adjoint, let gradient { adjoint.contribute(adopting: gradient) }
            }
        }
    }
}
