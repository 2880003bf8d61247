extension Variable {
    /// Batch normalisation, an affine map, a pointwise non-linearity and gates, in two passes over the data:
    ///
    ///     y = m_c · φ( (x − μ_c)/√(v_c + ε)·γ_c + β_c )
    ///
    /// with the moments of each channel over all images and pixels of `self` `[B, …, C]`, or with given ones. Without
    /// gates this is PyTorch's `batch_norm`, in training or in evaluation.
    ///
    /// Channels do not meet, so gates have no part in moments: a gate multiplies what comes out.
    ///
    /// - Parameters:
    ///   - gamma: γ, `[C]`.
    ///   - beta: β, `[C]`.
    ///   - epsilon: ε.
    ///   - activation: φ.
    ///   - gate: m, `[C]`, in [0, 1]; nil for ones.
    ///   - moments: μ and v, `[C]` each, constants; nil for those of the batch.
    ///   - note: told of the moments of the batch, `[C]` each, v being biased.
    public func batchNormalized(
        gamma: Variable, beta: Variable, epsilon: Float, activation: Activation, gate: Variable? = nil,
        moments: (mean: Tensor, variance: Tensor)? = nil,
        noting note: (_ mean: Tensor, _ variance: Tensor) -> Void = { _, _ in }
    ) -> Variable {
        let channels = value.columns
        precondition(
            gamma.value.count == channels && beta.value.count == channels && (gate?.value.count ?? channels) == channels
                && (moments?.mean.count ?? channels) == channels && (moments?.variance.count ?? channels) == channels,
            "normalising \(shape) by \(gamma.value.count)")
        let problem = GroupNormProblem(
            parts: [saved], widths: [channels], shape: shape, partsHaveTangent: tangent != nil, gamma: Dual(gamma),
            beta: Dual(beta), gate: gate.map(Dual.init), scale: nil, shift: nil,
            groups: NormalizationGroups(width: channels, count: channels), epsilon: Double(epsilon),
            kind: activation.kernel,
            moments: moments.map { .given(mean: $0.mean, variance: $0.variance) } ?? .ofChannels)
        return Self.normalized([self], by: problem, gamma, beta, gate) { state in
            if moments == nil { note(state.mean.value, state.variance.value) }
        }
    }
}
