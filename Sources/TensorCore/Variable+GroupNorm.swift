import CKernels

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
    ///   - gamma, beta, gate: `[C]`; the gates in [0, 1].
    ///   - scale, shift: `[B, C]` (diffusers' "scale_shift" time conditioning).
    public func groupNormalized(
        groups: NormalizationGroups, gamma: Variable, beta: Variable, epsilon: Float, activation: Activation,
        gate: Variable? = nil, scale: Variable? = nil, shift: Variable? = nil
    ) -> Variable {
        let channels = value.columns
        let images = shape[0]
        let pixels = value.count / (images * channels)
        precondition(
            groups.width == channels && gamma.value.count == channels, "normalising \(shape) by \(groups.width)")
        let inputs = GroupNormInputs(
            x: Dual(self), gamma: Dual(gamma), beta: Dual(beta), gate: gate.map(Dual.init), scale: scale.map(Dual.init),
            shift: shift.map(Dual.init), groups: groups, epsilon: Double(epsilon), kind: activation.kernel,
            images: images, pixels: pixels, channels: channels)
        let state = inputs.normalize()

        let output = Tensor(uninitialized: shape)
        let gatePointer = inputs.gate.map { UnsafePointer($0.value.pointer) }
        dk_affine_activation(
            inputs.kind, value.pointer, state.a.value.pointer, state.d.value.pointer, gatePointer, images, pixels,
            channels, output.pointer)
        var outputTangent: Tensor?
        if inputs.hasTangent {
            let result = Tensor(uninitialized: shape)
            dk_affine_activation_tangent(
                inputs.kind, value.pointer, state.a.value.pointer, state.d.value.pointer, gatePointer,
                inputs.x.tangent?.pointer, state.a.tangent?.pointer, state.d.tangent?.pointer,
                inputs.gate?.tangent?.pointer, images, pixels, channels, result.pointer)
            outputTangent = result
        }

        return .result(output, tangent: outputTangent, of: [self, gamma, beta, gate, scale, shift]) {
            [self] cotangent in
            let gradients = inputs.backward(Dual(cotangent), state)
            for (variable, gradient) in [
                (self, gradients.x), (gamma, gradients.gamma), (beta, gradients.beta), (gate, gradients.gate),
                (scale, gradients.scale), (shift, gradients.shift),
            ] {
                guard let variable, let gradient else { continue }
                variable.contribute(adopting: gradient)
            }
        }
    }
}

/// The affine maps of a batch, and the channel moments they came from: all `[B, C]`.
private struct NormalizationState {
    let mean: Dual, variance: Dual, a: Dual, d: Dual
}

private struct GroupNormGradients {
    let x: Dual, gamma: Dual, beta: Dual
    let gate: Dual?, scale: Dual?, shift: Dual?
}

private struct GroupNormInputs {
    let x: Dual, gamma: Dual, beta: Dual
    let gate: Dual?, scale: Dual?, shift: Dual?
    let groups: NormalizationGroups
    let epsilon: Double
    let kind: dk_activation
    let images: Int, pixels: Int, channels: Int

    var hasTangent: Bool {
        [x, gamma, beta].contains { $0.tangent != nil } || [gate, scale, shift].contains { $0?.tangent != nil }
    }

    private func table(withTangent: Bool) -> Dual { Dual(uninitialized: [images, channels], withTangent: withTangent) }

    /// Channel moments of each image and their tangents: ṁean = mean(ẋ), v̇ar = 2·(mean(x·ẋ) − mean(x)·mean(ẋ)).
    private func moments() -> (mean: Dual, variance: Dual) {
        let mean = table(withTangent: x.tangent != nil)
        let variance = table(withTangent: x.tangent != nil)
        dk_moments(x.value.pointer, images, pixels, channels, mean.value.pointer, variance.value.pointer)
        if let xTangent = x.tangent, let meanTangent = mean.tangent, let product = variance.tangent {
            dk_sum_pixels(xTangent.pointer, images, pixels, channels, meanTangent.pointer, 0)
            dk_dot_pixels(x.value.pointer, xTangent.pointer, images, pixels, channels, product.pointer, 0)
            let scale = 1 / Float(pixels)
            for i in 0..<meanTangent.count {
                meanTangent.pointer[i] *= scale
                product.pointer[i] = 2 * (product.pointer[i] * scale - mean.value.pointer[i] * meanTangent.pointer[i])
            }
        }
        return (mean, variance)
    }

    private func withKernelProblem(_ body: (UnsafePointer<dk_group_norm>) -> Void) {
        groups.groupOfChannel.withUnsafeBufferPointer { groupOf in
            let problem = dk_group_norm(
                images: images, pixels: pixels, channels: channels, groups: groups.count,
                group_of: groupOf.baseAddress, epsilon: epsilon, gamma: gamma.input, beta: beta.input,
                gate: gate.kernelInput, scale: scale.kernelInput, shift: shift.kernelInput)
            withUnsafePointer(to: problem, body)
        }
    }

    func normalize() -> NormalizationState {
        let (mean, variance) = moments()
        let a = table(withTangent: hasTangent)
        let d = table(withTangent: hasTangent)
        withKernelProblem { dk_group_norm_maps($0, mean.input, variance.input, a.output, d.output) }
        return NormalizationState(mean: mean, variance: variance, a: a, d: d)
    }

    func backward(_ g: Dual, _ state: NormalizationState) -> GroupNormGradients {
        let isDual = hasTangent || g.tangent != nil
        // gz = ∂L/∂z, and its sums with 1 and x per image and channel: the adjoints of d and a.
        let gz = Dual(uninitialized: x.value.shape, withTangent: isDual)
        let aBar = table(withTangent: isDual)
        let dBar = table(withTangent: isDual)
        let gphi = gate.map { _ in table(withTangent: isDual) }
        let gatePointer = gate.map { UnsafePointer($0.value.pointer) }
        dk_affine_activation_backward(
            kind, x.value.pointer, state.a.value.pointer, state.d.value.pointer, gatePointer, g.value.pointer, images,
            pixels, channels, gz.value.pointer, dBar.value.pointer, aBar.value.pointer, gphi?.value.pointer)
        if let gzTangent = gz.tangent {
            dk_affine_activation_backward_tangent(
                kind, x.value.pointer, state.a.value.pointer, state.d.value.pointer, gatePointer, g.value.pointer,
                x.tangent?.pointer, state.a.tangent?.pointer, state.d.tangent?.pointer, gate?.tangent?.pointer,
                g.tangent?.pointer, images, pixels, channels, gzTangent.pointer, dBar.tangent!.pointer,
                aBar.tangent!.pointer, gphi?.tangent?.pointer)
        }

        let slope = table(withTangent: isDual)
        let offset = table(withTangent: isDual)
        func perChannel() -> Dual { Dual(uninitialized: [channels], withTangent: isDual) }
        let (gammaGradient, betaGradient) = (perChannel(), perChannel())
        let gateGradient = gate.map { _ in perChannel() }
        let scaleGradient = scale.map { _ in table(withTangent: isDual) }
        let shiftGradient = shift.map { _ in table(withTangent: isDual) }
        let gradients = dk_group_norm_gradients(
            mean: state.mean.input, variance: state.variance.input, a_bar: aBar.input, d_bar: dBar.input,
            gate_sum: gphi.kernelInput, slope: slope.output, offset: offset.output, gamma: gammaGradient.output,
            beta: betaGradient.output, gate: gateGradient.kernelOutput, scale: scaleGradient.kernelOutput,
            shift: shiftGradient.kernelOutput)
        withKernelProblem { problem in withUnsafePointer(to: gradients) { dk_group_norm_backward(problem, $0) } }

        // dx = gz·a + x·slope + offset carries the direct path and the one through the moments.
        let dx = Dual(uninitialized: x.value.shape, withTangent: isDual)
        dk_affine_images(
            gz.value.pointer, state.a.value.pointer, x.value.pointer, slope.value.pointer, offset.value.pointer, images,
            pixels, channels, dx.value.pointer, 0)
        if let dxTangent = dx.tangent {
            dk_affine_images(
                gz.tangent!.pointer, state.a.value.pointer, x.value.pointer, slope.tangent!.pointer,
                offset.tangent!.pointer, images, pixels, channels, dxTangent.pointer, 0)
            if let aTangent = state.a.tangent {
                dk_affine_images(
                    gz.value.pointer, aTangent.pointer, nil, nil, nil, images, pixels, channels, dxTangent.pointer, 1)
            }
            if let xTangent = x.tangent {
                dk_affine_images(
                    xTangent.pointer, slope.value.pointer, nil, nil, nil, images, pixels, channels, dxTangent.pointer, 1
                )
            }
        }
        return GroupNormGradients(
            x: dx, gamma: gammaGradient, beta: betaGradient, gate: gateGradient, scale: scaleGradient,
            shift: shiftGradient)
    }
}

extension Dual {
    fileprivate init(uninitialized shape: [Int], withTangent: Bool) {
        self.init(
            Tensor(uninitialized: shape), tangent: withTangent ? Tensor(uninitialized: shape) : nil)
    }

    fileprivate var input: dk_dual_in {
        dk_dual_in(value: value.pointer, tangent: tangent.map { UnsafePointer($0.pointer) })
    }
    fileprivate var output: dk_dual_out { dk_dual_out(value: value.pointer, tangent: tangent?.pointer) }
}

extension Dual? {
    fileprivate var kernelInput: dk_dual_in { self?.input ?? dk_dual_in(value: nil, tangent: nil) }
    fileprivate var kernelOutput: dk_dual_out { self?.output ?? dk_dual_out(value: nil, tangent: nil) }
}
