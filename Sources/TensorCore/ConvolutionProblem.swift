import CKernels

/// A convolution of one input, or a 1×1 convolution of several that are seen as one, with its kernels.
struct ConvolutionProblem {
    struct Part {
        let geometry: dk_conv_shape
        /// Where its rows of the weight begin.
        let weightOffset: Int
    }
    let parts: [Part]
    let outputShape: [Int]
    private let weightShape: [Int]

    init(_ inputs: [[Int]], _ weight: [Int], stride: Int, padding: ConvolutionPadding) {
        precondition(
            !inputs.isEmpty && inputs.allSatisfy { $0.count == 4 && $0.dropLast() == inputs[0].dropLast() }
                && weight.count == 4 && weight[2] == inputs.reduce(0) { $0 + $1[3] } && weight[0] == weight[1]
                && (weight[0] == 1 || weight[0] == 3 && inputs.count == 1), "convolution of \(inputs) with \(weight)")
        let kernel = weight[0]
        let (height, width) = (inputs[0][1], inputs[0][2])
        let outHeight = (height + padding.top + padding.bottom - kernel) / stride + 1
        let outWidth = (width + padding.left + padding.right - kernel) / stride + 1
        outputShape = [inputs[0][0], outHeight, outWidth, weight[3]]
        weightShape = weight
        var offset = 0
        parts = inputs.map { input in
            defer { offset += input[3] * weight[3] }
            return Part(
                geometry: dk_conv_shape(
                    batch: input[0], in_height: height, in_width: width, in_channels: input[3], out_height: outHeight,
                    out_width: outWidth, out_channels: weight[3], kernel: kernel, stride: stride,
                    pad_top: padding.top, pad_left: padding.left), weightOffset: offset)
        }
    }

    /// The additive inputs ride along with the first product.
    ///
    /// - Parameter prepared: where weights laid out for the kernels are kept, and whose they are.
    func forward(
        _ inputs: [Tensor], _ weight: Tensor, bias: Tensor?, imageBias: Tensor?, residual: Tensor?,
        prepared: (weights: PreparedWeights, of: Variable)? = nil
    ) -> Tensor {
        // Arrays may be freed after their last use, which need not be the last use of pointers into what they hold.
        defer { withExtendedLifetime(inputs) {} }
        let output = Tensor(uninitialized: outputShape)
        for (index, (part, x)) in zip(parts, inputs).enumerated() {
            let isFirst = index == 0
            let bias = isFirst ? bias?.pointer : nil
            let imageBias = isFirst ? imageBias?.pointer : nil
            let residual = isFirst ? residual?.pointer : nil
            let packed = prepared.map { $0.weights.packed($0.of, offset: part.weightOffset, for: part.geometry) }
            withUnsafePointer(to: part.geometry) {
                if let packed {
                    dk_conv_forward_packed(
                        $0, x.pointer, packed.pointer, bias, imageBias, residual, output.pointer, isFirst ? 0 : 1)
                } else {
                    let workspace = workspace($0, DK_CONV_FORWARD)
                    dk_conv_forward(
                        $0, x.pointer, weight.pointer + part.weightOffset, bias, imageBias, residual, output.pointer,
                        isFirst ? 0 : 1, workspace.pointer)
                    withExtendedLifetime(workspace) {}
                }
            }
        }
        return output
    }

    /// Adds conv(x, w) of one part to `sum`.
    private func add(_ part: Part, _ x: Tensor, _ weight: Tensor, to sum: Tensor) {
        withUnsafePointer(to: part.geometry) {
            let workspace = workspace($0, DK_CONV_FORWARD)
            dk_conv_forward(
                $0, x.pointer, weight.pointer + part.weightOffset, nil, nil, nil, sum.pointer, 1, workspace.pointer)
            withExtendedLifetime(workspace) {}
        }
    }

    /// conv(ẋ, w) + conv(x, ẇ) + the additive inputs' tangents.
    func tangent(_ inputs: [Dual], _ weight: Dual, bias: Tensor?, imageBias: Tensor?, residual: Tensor?) -> Tensor {
        defer { withExtendedLifetime(inputs) {} }
        let tangents = inputs.map(\.tangent)
        // The additive inputs' tangents ride along with the first product; with no product there is a zero one.
        let result: Tensor
        if let weightTangent = weight.tangent {
            result = forward(
                inputs.map(\.value), weightTangent, bias: bias, imageBias: imageBias, residual: residual)
        } else if inputs.count == 1, let tangent = tangents[0] {
            return forward([tangent], weight.value, bias: bias, imageBias: imageBias, residual: residual)
        } else {
            result = forward(
                inputs.map(\.value), Tensor(zeros: weightShape), bias: bias, imageBias: imageBias, residual: residual)
        }
        for (part, tangent) in zip(parts, tangents) {
            if let tangent { add(part, tangent, weight.value, to: result) }
        }
        return result
    }

    /// What a kernel works in, for as long as its call lasts.
    private func workspace(_ geometry: UnsafePointer<dk_conv_shape>, _ pass: dk_conv_pass) -> Tensor {
        Tensor(uninitialized: [dk_conv_workspace_size(geometry, pass)])
    }

    /// out (+)= a part's input gradient of the output's gradient g.
    func inputGradient(
        _ part: Part, _ g: Tensor, _ weight: Tensor, _ out: UnsafeMutablePointer<Float>, _ accumulate: Int32
    ) {
        withUnsafePointer(to: part.geometry) {
            let workspace = workspace($0, DK_CONV_INPUT_GRADIENT)
            dk_conv_input_gradient(
                $0, g.pointer, weight.pointer + part.weightOffset, out, accumulate, workspace.pointer)
            withExtendedLifetime(workspace) {}
        }
    }

    /// Each part's rows of the weight's gradient, and of its tangent.
    func contributeWeightGradient(_ inputs: [Saved], _ g: Saved, to weight: Adjoint) {
        let inputs = inputs.map(\.dual)
        let g = g.dual
        defer { withExtendedLifetime(inputs) {} }
        func gradient(
            _ x: (Int) -> Tensor?, _ g: Tensor, _ out: UnsafeMutablePointer<Float>, _ accumulate: Int32
        ) {
            for (index, part) in parts.enumerated() {
                let place = out + part.weightOffset
                if let x = x(index) {
                    withUnsafePointer(to: part.geometry) {
                        let workspace = workspace($0, DK_CONV_WEIGHT_GRADIENT)
                        dk_conv_weight_gradient($0, x.pointer, g.pointer, place, accumulate, workspace.pointer)
                        withExtendedLifetime(workspace) {}
                    }
                } else if accumulate == 0 {
                    dk_fill(0, place, part.geometry.in_channels * part.geometry.out_channels)
                }
            }
        }
        weight.contribute { gradient({ inputs[$0].value }, g.value, $0, $1) }
        if inputs.contains(where: { $0.tangent != nil }) {
            weight.contributeTangent { gradient({ inputs[$0].tangent }, g.value, $0, $1) }
        }
        if let tangent = g.tangent {
            weight.contributeTangent { gradient({ inputs[$0].value }, tangent, $0, $1) }
        }
    }
}
