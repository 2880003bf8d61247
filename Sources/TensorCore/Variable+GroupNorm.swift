import CKernels

/// Which channels are normalised together. Groups may be unequal, as pruning leaves them.
public struct NormalizationGroups: Sendable, Equatable {
    /// Channels of each group; groups with no channel left are dropped.
    public let channels: [[Int]]
    public let width: Int

    /// - Parameter groupOfChannel: the group's number of each channel.
    public init(groupOfChannel: [Int]) {
        var channels: [[Int]] = Array(repeating: [], count: (groupOfChannel.max() ?? -1) + 1)
        for (channel, group) in groupOfChannel.enumerated() { channels[group].append(channel) }
        self.channels = channels.filter { !$0.isEmpty }
        self.width = groupOfChannel.count
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
            shift: shift.map(Dual.init), groups: groups.channels, epsilon: Double(epsilon), kind: activation.kernel,
            images: images, pixels: pixels, channels: channels)
        let state = inputs.hasTangent ? inputs.normalize(DualNumber.self) : inputs.normalize(Double.self)

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
            let g = Dual(cotangent)
            let gradients =
                inputs.hasTangent || g.tangent != nil
                ? inputs.backward(DualNumber.self, g, state) : inputs.backward(Double.self, g, state)
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

/// Moves numbers between float tensors and the scalar type of the per-channel computation.
private protocol TensorElement: NormalizationScalar {
    static func load(_ dual: Dual, _ index: Int) -> Self
    func store(_ dual: Dual, _ index: Int)
    static func makeDual(_ shape: [Int]) -> Dual
}

extension Double: TensorElement {
    static func load(_ dual: Dual, _ index: Int) -> Double { Double(dual.value.pointer[index]) }
    func store(_ dual: Dual, _ index: Int) { dual.value.pointer[index] = Float(self) }
    static func makeDual(_ shape: [Int]) -> Dual { Dual(Tensor(uninitialized: shape), tangent: nil) }
}

extension DualNumber: TensorElement {
    static func load(_ dual: Dual, _ index: Int) -> DualNumber {
        DualNumber(
            value: Double(dual.value.pointer[index]), tangent: dual.tangent.map { Double($0.pointer[index]) } ?? 0)
    }
    func store(_ dual: Dual, _ index: Int) {
        dual.value.pointer[index] = Float(value)
        dual.tangent?.pointer[index] = Float(tangent)
    }
    static func makeDual(_ shape: [Int]) -> Dual {
        Dual(Tensor(uninitialized: shape), tangent: Tensor(uninitialized: shape))
    }
}

private struct GroupNormInputs {
    let x: Dual, gamma: Dual, beta: Dual
    let gate: Dual?, scale: Dual?, shift: Dual?
    let groups: [[Int]]
    let epsilon: Double
    let kind: dk_activation
    let images: Int, pixels: Int, channels: Int

    var hasTangent: Bool {
        [x, gamma, beta].contains { $0.tangent != nil } || [gate, scale, shift].contains { $0?.tangent != nil }
    }

    private var table: [Int] { [images, channels] }

    /// Channel moments of each image and their tangents: ṁean = mean(ẋ), v̇ar = 2·(mean(x·ẋ) − mean(x)·mean(ẋ)).
    private func moments() -> (mean: Dual, variance: Dual) {
        let mean = Tensor(uninitialized: table)
        let variance = Tensor(uninitialized: table)
        dk_moments(x.value.pointer, images, pixels, channels, mean.pointer, variance.pointer)
        guard let xTangent = x.tangent else { return (Dual(mean, tangent: nil), Dual(variance, tangent: nil)) }
        let meanTangent = Tensor(uninitialized: table)
        let product = Tensor(uninitialized: table)
        dk_sum_pixels(xTangent.pointer, images, pixels, channels, meanTangent.pointer, 0)
        dk_dot_pixels(x.value.pointer, xTangent.pointer, images, pixels, channels, product.pointer, 0)
        let scale = 1 / Float(pixels)
        for i in 0..<mean.count {
            meanTangent.pointer[i] *= scale
            product.pointer[i] = 2 * (product.pointer[i] * scale - mean.pointer[i] * meanTangent.pointer[i])
        }
        return (Dual(mean, tangent: meanTangent), Dual(variance, tangent: product))
    }

    private func channelInputs<S: TensorElement>(_ image: Int, _ mean: Dual, _ variance: Dual) -> NormalizationInput<S>
    {
        let base = image * channels
        let all = 0..<channels
        return NormalizationInput(
            mean: all.map { S.load(mean, base + $0) }, variance: all.map { S.load(variance, base + $0) },
            gamma: all.map { S.load(gamma, $0) }, beta: all.map { S.load(beta, $0) },
            gate: all.map { c in gate.map { S.load($0, c) } ?? S(1) },
            scale: all.map { c in scale.map { S(1) + S.load($0, base + c) } ?? S(1) },
            shift: all.map { c in shift.map { S.load($0, base + c) } ?? S(0) })
    }

    func normalize<S: TensorElement>(_: S.Type) -> NormalizationState {
        let (mean, variance) = moments()
        let a = S.makeDual(table)
        let d = S.makeDual(table)
        let math = NormalizationMath<S>(groups: groups, epsilon: S(epsilon))
        for image in 0..<images {
            let output = math.forward(channelInputs(image, mean, variance))
            for c in 0..<channels {
                output.a[c].store(a, image * channels + c)
                output.d[c].store(d, image * channels + c)
            }
        }
        return NormalizationState(mean: mean, variance: variance, a: a, d: d)
    }

    func backward<S: TensorElement>(_: S.Type, _ g: Dual, _ state: NormalizationState) -> GroupNormGradients {
        // gz = ∂L/∂z, and its sums with 1 and x per image and channel: the adjoints of d and a.
        let gz = S.makeDual(x.value.shape)
        let aBar = S.makeDual(table)
        let dBar = S.makeDual(table)
        let gphi = gate == nil ? nil : S.makeDual(table)
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

        let zero = [S](repeating: S(0), count: channels)
        var sums = (gamma: zero, beta: zero, gate: zero)
        let scaleGradient = scale == nil ? nil : S.makeDual(table)
        let shiftGradient = shift == nil ? nil : S.makeDual(table)
        // dx = gz·a + x·slope + offset carries the direct path and the one through the moments.
        let slope = S.makeDual(table)
        let offset = S.makeDual(table)
        let math = NormalizationMath<S>(groups: groups, epsilon: S(epsilon))
        let perPixel = S(1 / Double(pixels))
        for image in 0..<images {
            let base = image * channels
            let input: NormalizationInput<S> = channelInputs(image, state.mean, state.variance)
            let adjoint = math.backward(
                input, a: (0..<channels).map { S.load(aBar, base + $0) },
                d: (0..<channels).map { S.load(dBar, base + $0) })
            for c in 0..<channels {
                sums.gamma[c] = sums.gamma[c] + adjoint.gamma[c]
                sums.beta[c] = sums.beta[c] + adjoint.beta[c]
                if let gphi { sums.gate[c] = sums.gate[c] + adjoint.gate[c] + S.load(gphi, base + c) }
                if let scaleGradient { adjoint.scale[c].store(scaleGradient, base + c) }
                if let shiftGradient { adjoint.shift[c].store(shiftGradient, base + c) }
                let twice = S(2) * adjoint.variance[c] * perPixel
                twice.store(slope, base + c)
                (adjoint.mean[c] * perPixel - twice * input.mean[c]).store(offset, base + c)
            }
        }

        let dx = S.makeDual(x.value.shape)
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

        func gathered(_ values: [S]) -> Dual {
            let dual = S.makeDual([channels])
            for (c, value) in values.enumerated() { value.store(dual, c) }
            return dual
        }
        return GroupNormGradients(
            x: dx, gamma: gathered(sums.gamma), beta: gathered(sums.beta),
            gate: gate == nil ? nil : gathered(sums.gate),
            scale: scaleGradient, shift: shiftGradient)
    }
}
