import CKernels

/// The affine maps of a batch, and the channel moments they came from: all `[B, C]`.
struct NormalizationState {
    let mean: Dual, variance: Dual, a: Dual, d: Dual
}

struct GroupNormGradients {
    let parts: [Dual]
    let gamma: Dual, beta: Dual
    let gate: Dual?, scale: Dual?, shift: Dual?
}

/// Where a normalisation takes its moments from.
enum NormalizationMoments {
    /// Each image's own, of groups of channels that gates weigh.
    case ofImages
    /// Each channel's own, of the whole batch and whatever the gates.
    case ofChannels
    /// Constants, `[C]` each.
    case given(mean: Tensor, variance: Tensor)

    /// Whether each channel is normalised by itself, and then gated.
    var areOfChannels: Bool {
        if case .ofImages = self { false } else { true }
    }
}

/// Group normalisation with activation of one input, or of several that are seen as one, with its kernels. Passes over
/// the data take one part after the other; what is per image and channel lies in tables over all parts.
struct GroupNormProblem {
    let parts: [Saved]
    let gamma: Dual, beta: Dual
    let gate: Dual?, scale: Dual?, shift: Dual?
    let channels: Int
    private let groups: NormalizationGroups
    private let epsilon: Double
    private let kind: dk_activation
    private let source: NormalizationMoments
    private let images: Int, pixels: Int
    /// The channels of each part.
    private let ranges: [Range<Int>]
    private let shape: [Int]
    private let hasTangent: Bool

    /// - Parameters:
    ///   - widths: channels of the parts.
    ///   - shape: of any part.
    ///   - moments: where they are not those of images there is one part, whose batch is seen as one image, and each
    ///     channel is a group.
    init(
        parts: [Saved], widths: [Int], shape: [Int], partsHaveTangent: Bool, gamma: Dual, beta: Dual, gate: Dual?,
        scale: Dual?, shift: Dual?, groups: NormalizationGroups, epsilon: Double, kind: dk_activation,
        moments: NormalizationMoments = .ofImages
    ) {
        self.parts = parts
        self.gamma = gamma
        self.beta = beta
        self.gate = gate
        self.scale = scale
        self.shift = shift
        self.groups = groups
        self.epsilon = epsilon
        self.kind = kind
        source = moments
        images = moments.areOfChannels ? 1 : shape[0]
        pixels = shape.dropLast().reduce(1, *) / max(images, 1)
        var offset = 0
        ranges = widths.map { width in
            defer { offset += width }
            return offset..<(offset + width)
        }
        channels = offset
        self.shape = shape.dropLast() + [channels]
        hasTangent =
            partsHaveTangent || [gamma, beta].contains { $0.tangent != nil }
            || [gate, scale, shift].contains { $0?.tangent != nil }
    }

    // MARK: tables

    private func table(withTangent: Bool, width: Int? = nil) -> Dual {
        Dual(uninitialized: [images, width ?? channels], withTangent: withTangent)
    }

    /// A part's columns of a table.
    private func columns(_ range: Range<Int>, of table: Tensor) -> Tensor {
        guard range.count < channels else { return table }
        let result = Tensor(uninitialized: [images, range.count])
        dk_copy_matrix(
            table.pointer + range.lowerBound, channels, images, range.count, result.pointer, range.count, 0)
        return result
    }

    private func columns(_ range: Range<Int>, of table: Dual) -> Dual {
        Dual(columns(range, of: table.value), tangent: table.tangent.map { columns(range, of: $0) })
    }

    /// The table that `make` gives the columns of, part by part.
    private func joined(withTangent: Bool, _ make: (Int) -> [Dual]) -> [Dual] {
        guard ranges.count > 1 else { return make(0) }
        var tables: [Dual] = []
        for (index, range) in ranges.enumerated() {
            let columns = make(index)
            if tables.isEmpty { tables = columns.map { _ in table(withTangent: withTangent) } }
            for (table, columns) in zip(tables, columns) {
                for (to, from) in [(table.value, columns.value), (table.tangent, columns.tangent)] {
                    guard let to else { continue }
                    let place = to.pointer + range.lowerBound
                    if let from {
                        dk_copy_matrix(from.pointer, range.count, images, range.count, place, channels, 0)
                    } else {
                        for image in 0..<images { dk_fill(0, place + image * channels, range.count) }
                    }
                }
            }
        }
        return tables
    }

    private func gate(of range: Range<Int>) -> (value: UnsafePointer<Float>?, tangent: UnsafePointer<Float>?) {
        guard let gate else { return (nil, nil) }
        return (
            UnsafePointer(gate.value.pointer + range.lowerBound),
            gate.tangent.map { UnsafePointer($0.pointer + range.lowerBound) }
        )
    }

    // MARK: forward

    /// Channel moments of each image and their tangents: ṁean = mean(ẋ), v̇ar = 2·(mean(x·ẋ) − mean(x)·mean(ẋ)).
    private func moments(_ x: Dual, width: Int) -> [Dual] {
        let mean = table(withTangent: x.tangent != nil, width: width)
        let variance = table(withTangent: x.tangent != nil, width: width)
        dk_moments(x.value.pointer, images, pixels, width, mean.value.pointer, variance.value.pointer)
        if let xTangent = x.tangent, let meanTangent = mean.tangent, let product = variance.tangent {
            dk_sum_pixels(xTangent.pointer, images, pixels, width, meanTangent.pointer, 0)
            dk_dot_pixels(x.value.pointer, xTangent.pointer, images, pixels, width, product.pointer, 0)
            let scale = 1 / Float(pixels)
            for i in 0..<meanTangent.count {
                meanTangent.pointer[i] *= scale
                product.pointer[i] = 2 * (product.pointer[i] * scale - mean.value.pointer[i] * meanTangent.pointer[i])
            }
        }
        return [mean, variance]
    }

    /// The moments of all inputs.
    private func moments(_ inputs: [Dual]) -> [Dual] {
        if case .given(let mean, let variance) = source { return [mean, variance].map { Dual($0, tangent: nil) } }
        return joined(withTangent: inputs.contains { $0.tangent != nil }) { index in
            moments(inputs[index], width: ranges[index].count)
        }
    }

    /// Gates, as far as moments are weighted by them.
    private var weights: Dual? { source.areOfChannels ? nil : gate }

    private func withKernelProblem(_ body: (UnsafePointer<dk_group_norm>) -> Void) {
        groups.groupOfChannel.withUnsafeBufferPointer { groupOf in
            let problem = dk_group_norm(
                images: images, pixels: pixels, channels: channels, groups: groups.count,
                group_of: groupOf.baseAddress, epsilon: epsilon, gamma: gamma.input, beta: beta.input,
                gate: weights.kernelInput, scale: scale.kernelInput, shift: shift.kernelInput)
            withUnsafePointer(to: problem, body)
        }
    }

    func normalize(_ inputs: [Dual]) -> NormalizationState {
        defer { withExtendedLifetime(inputs) {} }
        let tables = moments(inputs)
        let a = table(withTangent: hasTangent)
        let d = table(withTangent: hasTangent)
        withExtendedLifetime((tables, a, d)) {
            withKernelProblem { dk_group_norm_maps($0, tables[0].input, tables[1].input, a.output, d.output) }
        }
        return NormalizationState(mean: tables[0], variance: tables[1], a: a, d: d)
    }

    func output(_ inputs: [Dual], _ state: NormalizationState) -> Dual {
        defer { withExtendedLifetime(inputs) {} }
        let output = Dual(uninitialized: shape, withTangent: hasTangent)
        for (x, range) in zip(inputs, ranges) {
            let (a, d) = (columns(range, of: state.a), columns(range, of: state.d))
            let gate = gate(of: range)
            dk_affine_activation(
                kind, x.value.pointer, a.value.pointer, d.value.pointer, gate.value, images, pixels, range.count,
                output.value.pointer + range.lowerBound, channels)
            guard let outputTangent = output.tangent else { continue }
            let isWhole = range.count == channels
            let tangent = isWhole ? outputTangent : Tensor(uninitialized: shape.dropLast() + [range.count])
            dk_affine_activation_tangent(
                kind, x.value.pointer, a.value.pointer, d.value.pointer, gate.value, x.tangent?.pointer,
                a.tangent?.pointer, d.tangent?.pointer, gate.tangent, images, pixels, range.count, tangent.pointer)
            if !isWhole {
                dk_copy_matrix(
                    tangent.pointer, range.count, images * pixels, range.count,
                    outputTangent.pointer + range.lowerBound, channels, 0)
            }
        }
        return output
    }

    // MARK: backward

    /// Takes the memory of `g`.
    func backward(_ g: Dual, _ state: NormalizationState) -> GroupNormGradients {
        let isDual = hasTangent || g.tangent != nil
        let inputs = parts.map(\.dual)
        // Arrays may be freed after their last use, which need not be the last use of pointers into what they hold.
        defer { withExtendedLifetime(inputs) {} }
        // gz = ∂L/∂z, and its sums with 1 and x per image and channel: the adjoints of d and a.
        var gz: [Dual] = []
        let bars = joined(withTangent: isDual) { index in
            let (partGz, sums) = activationBackward(
                inputs[index], cotangent(g, of: ranges[index]), state, ranges[index])
            gz.append(partGz)
            return sums
        }
        let slope = table(withTangent: isDual)
        let offset = table(withTangent: isDual)
        func perChannel() -> Dual { Dual(uninitialized: [channels], withTangent: isDual) }
        let (gammaGradient, betaGradient) = (perChannel(), perChannel())
        let gateGradient = weights.map { _ in perChannel() }
        let scaleGradient = scale.map { _ in table(withTangent: isDual) }
        let shiftGradient = shift.map { _ in table(withTangent: isDual) }
        let gradients = dk_group_norm_gradients(
            mean: state.mean.input, variance: state.variance.input, a_bar: bars[0].input, d_bar: bars[1].input,
            gate_sum: (weights == nil ? nil : bars[2]).kernelInput, slope: slope.output, offset: offset.output,
            gamma: gammaGradient.output, beta: betaGradient.output, gate: gateGradient.kernelOutput,
            scale: scaleGradient.kernelOutput, shift: shiftGradient.kernelOutput)
        // Pointers do not keep what they point into.
        withExtendedLifetime((bars, slope, offset, gammaGradient, betaGradient, gateGradient)) {
            withExtendedLifetime((scaleGradient, shiftGradient)) {
                withKernelProblem { problem in withUnsafePointer(to: gradients) { dk_group_norm_backward(problem, $0) }
                }
            }
        }
        for (index, range) in ranges.enumerated() {
            throughMoments(
                gz[index], inputs[index], a: columns(range, of: state.a), slope: columns(range, of: slope),
                offset: columns(range, of: offset), width: range.count)
        }
        // A gate that weighs nothing multiplies φ(z), and that is all.
        let gatesOwn = gate == nil ? nil : gateGradient ?? bars[2].reshaped([channels])
        return GroupNormGradients(
            parts: gz, gamma: gammaGradient, beta: betaGradient, gate: gatesOwn, scale: scaleGradient,
            shift: shiftGradient)
    }

    /// A part's columns of the cotangent: its own memory where it is the only part.
    private func cotangent(_ g: Dual, of range: Range<Int>) -> Dual {
        func columns(_ g: Tensor) -> Tensor {
            guard range.count < channels else { return g }
            let result = Tensor(uninitialized: shape.dropLast() + [range.count])
            dk_copy_matrix(
                g.pointer + range.lowerBound, channels, images * pixels, range.count, result.pointer, range.count, 0)
            return result
        }
        return Dual(columns(g.value), tangent: g.tangent.map(columns))
    }

    /// From ∂L/∂y of a part gz in its place, with Σ gz·x, Σ gz and, where there are gates, Σ g·φ(z).
    private func activationBackward(
        _ x: Dual, _ g: Dual, _ state: NormalizationState, _ range: Range<Int>
    ) -> (gz: Dual, sums: [Dual]) {
        let isDual = hasTangent || g.tangent != nil
        let width = range.count
        let (a, d, gate) = (columns(range, of: state.a), columns(range, of: state.d), gate(of: range))
        let aBar = table(withTangent: isDual, width: width)
        let dBar = table(withTangent: isDual, width: width)
        let gphi = self.gate.map { _ in table(withTangent: isDual, width: width) }
        // The tangent first: it reads what is overwritten then.
        var gzTangent: Tensor?
        if isDual {
            let tangent = g.tangent ?? Tensor(uninitialized: g.value.shape)
            dk_affine_activation_backward_tangent(
                kind, x.value.pointer, a.value.pointer, d.value.pointer, gate.value, g.value.pointer,
                x.tangent?.pointer, a.tangent?.pointer, d.tangent?.pointer, gate.tangent, g.tangent?.pointer, images,
                pixels, width, tangent.pointer, dBar.tangent!.pointer, aBar.tangent!.pointer, gphi?.tangent?.pointer)
            gzTangent = tangent
        }
        dk_affine_activation_backward(
            kind, x.value.pointer, a.value.pointer, d.value.pointer, gate.value, g.value.pointer, images, pixels, width,
            g.value.pointer, dBar.value.pointer, aBar.value.pointer, gphi?.value.pointer)
        return (Dual(g.value, tangent: gzTangent), [aBar, dBar, gphi].compactMap { $0 })
    }

    /// Makes dx = gz·a + x·slope + offset, the direct path and the one through the moments, of a part's gz.
    private func throughMoments(_ gz: Dual, _ x: Dual, a: Dual, slope: Dual, offset: Dual, width: Int) {
        if case .given = source { return throughConstants(gz, a: a, width: width) }
        if let dxTangent = gz.tangent {
            dk_affine_images(
                dxTangent.pointer, a.value.pointer, x.value.pointer, slope.tangent!.pointer, offset.tangent!.pointer,
                images, pixels, width, dxTangent.pointer, 0)
            if let aTangent = a.tangent {
                dk_affine_images(
                    gz.value.pointer, aTangent.pointer, nil, nil, nil, images, pixels, width, dxTangent.pointer, 1)
            }
            if let xTangent = x.tangent {
                dk_affine_images(
                    xTangent.pointer, slope.value.pointer, nil, nil, nil, images, pixels, width, dxTangent.pointer, 1)
            }
        }
        dk_affine_images(
            gz.value.pointer, a.value.pointer, x.value.pointer, slope.value.pointer, offset.value.pointer, images,
            pixels, width, gz.value.pointer, 0)
    }

    /// Makes dx = gz·a of gz.
    private func throughConstants(_ gz: Dual, a: Dual, width: Int) {
        func scale(_ x: Tensor, by factor: Tensor, into result: Tensor, adding accumulate: Int32) {
            dk_affine_images(
                x.pointer, factor.pointer, nil, nil, nil, images, pixels, width, result.pointer, accumulate)
        }
        if let tangent = gz.tangent {
            scale(tangent, by: a.value, into: tangent, adding: 0)
            if let aTangent = a.tangent { scale(gz.value, by: aTangent, into: tangent, adding: 1) }
        }
        scale(gz.value, by: a.value, into: gz.value, adding: 0)
    }
}

extension GroupNormProblem {
    /// What `output` gives, in one call that keeps nothing.
    static func prediction(
        _ parts: [Tensor], groups: NormalizationGroups, gamma: Tensor, beta: Tensor, epsilon: Float,
        activation: Activation, gate: Tensor?, scale: Tensor?, shift: Tensor?
    ) -> Tensor {
        var shape = parts[0].shape
        let images = shape[0]
        let channels = parts.reduce(0) { $0 + $1.columns }
        precondition(
            groups.width == channels && gamma.count == channels,
            "normalising \(parts.map(\.shape)) by \(groups.width)")
        let pixels = parts[0].rowCount / images
        shape[shape.count - 1] = channels
        let output = Tensor(uninitialized: shape)
        func input(_ tensor: Tensor?) -> dk_dual_in {
            dk_dual_in(value: tensor.map { UnsafePointer($0.pointer) }, tangent: nil)
        }
        groups.groupOfChannel.withUnsafeBufferPointer { groupOf in
            var problem = dk_group_norm(
                images: images, pixels: pixels, channels: channels, groups: groups.count,
                group_of: groupOf.baseAddress, epsilon: Double(epsilon), gamma: input(gamma), beta: input(beta),
                gate: input(gate), scale: input(scale), shift: input(shift))
            withUnsafeTemporaryAllocation(of: dk_channels.self, capacity: parts.count) { inputs in
                for (index, part) in parts.enumerated() {
                    inputs[index] = dk_channels(x: UnsafePointer(part.pointer), width: part.columns)
                }
                withExtendedLifetime((parts, gate, scale, shift)) {
                    dk_group_norm_forward(&problem, activation.kernel, inputs.baseAddress, parts.count, output.pointer)
                }
            }
        }
        return output
    }
}

extension Dual {
    fileprivate init(uninitialized shape: [Int], withTangent: Bool) {
        self.init(
            Tensor(uninitialized: shape), tangent: withTangent ? Tensor(uninitialized: shape) : nil)
    }

    fileprivate func reshaped(_ shape: [Int]) -> Dual {
        Dual(value.reshaped(shape), tangent: tangent?.reshaped(shape))
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
