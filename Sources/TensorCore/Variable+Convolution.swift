import CKernels

/// Zeros read around an image before a convolution.
public struct ConvolutionPadding: Sendable, Equatable {
    public let top: Int, left: Int, bottom: Int, right: Int

    public init(top: Int, left: Int, bottom: Int, right: Int) {
        self.top = top
        self.left = left
        self.bottom = bottom
        self.right = right
    }

    public static let none = ConvolutionPadding(top: 0, left: 0, bottom: 0, right: 0)
    /// One pixel all round: a 3×3 convolution of stride 1 keeps its size.
    public static let one = ConvolutionPadding(top: 1, left: 1, bottom: 1, right: 1)
    /// One row below and one column to the right, as diffusers pads before a stride-2 convolution without padding.
    public static let bottomRight = ConvolutionPadding(top: 0, left: 0, bottom: 1, right: 1)
}

extension Variable {
    /// 2-D convolution of `self` `[B, H, W, Cin]` with `weight` `[k, k, Cin, Cout]`, k = 1 or 3.
    ///
    /// - Parameters:
    ///   - weight: `[kh, kw, in, out]`.
    ///   - bias: `[Cout]`
    ///   - imageBias: `[B, Cout]`, added to every pixel of an image (the time embedding's projection).
    ///   - residual: of the output's shape, added in the same pass.
    ///   - stride: 1 or 2.
    ///   - padding: zeros around the image.
    /// - Returns: `[B, H', W', Cout]`, H' = (H + top + bottom − k)/stride + 1.
    public func convolved(
        with weight: Variable, bias: Variable? = nil, imageBias: Variable? = nil, residual: Variable? = nil,
        stride: Int = 1, padding: ConvolutionPadding = .one
    ) -> Variable {
        Self.convolved(
            [self], with: weight, bias: bias, imageBias: imageBias, residual: residual, stride: stride, padding: padding
        )
    }

    /// The same of the concatenation of `parts` along the channels, which is not made: a 1×1 convolution is a sum of
    /// products, of each part with its rows of the weight. Of more than one part, k is 1.
    public static func convolved(
        _ parts: [Variable], with weight: Variable, bias: Variable? = nil, imageBias: Variable? = nil,
        residual: Variable? = nil, stride: Int = 1, padding: ConvolutionPadding = .one
    ) -> Variable {
        let problem = ConvolutionProblem(parts.map(\.shape), weight.shape, stride: stride, padding: padding)
        let outputShape = problem.outputShape
        precondition(bias.map { $0.value.count == outputShape[3] } ?? true, "bias of another width")
        precondition(
            residual.map { $0.shape == outputShape } ?? true, "residual \(residual!.shape) onto \(outputShape)")
        precondition(
            imageBias.map { $0.shape == [outputShape[0], outputShape[3]] } ?? true,
            "image bias \(imageBias!.shape) onto \(outputShape)")

        let output = problem.forward(
            parts.map(\.value), weight.value, bias: bias?.value, imageBias: imageBias?.value,
            residual: residual?.value,
            prepared: Autograd.isRecording ? nil : PreparedWeights.current.map { ($0, weight) })
        let hasTangent =
            parts.contains { $0.tangent != nil } || weight.tangent != nil || bias?.tangent != nil
            || imageBias?.tangent != nil || residual?.tangent != nil
        let tangent =
            hasTangent
            ? problem.tangent(
                parts.map(Dual.init), Dual(weight), bias: bias?.tangent, imageBias: imageBias?.tangent,
                residual: residual?.tangent) : nil
        guard Autograd.isRecording else { return Variable(output, tangent: tangent) }
        let saved = parts.map(\.saved)
        let savedWeight = weight.saved
        let adjoints = parts.map(\.adjoint)
        let (weightAdjoint, biasAdjoint) = (weight.adjoint, bias?.adjoint)
        let (imageBiasAdjoint, residualAdjoint) = (imageBias?.adjoint, residual?.adjoint)
        return .result(output, tangent: tangent, of: parts + [weight, bias, imageBias, residual]) { cotangent in
            let g = Saved.kept(Dual(cotangent))
            // First what needs the inputs, which may have to be computed again and are free afterwards.
            if let weightAdjoint { problem.contributeWeightGradient(saved, g, to: weightAdjoint) }
            for (adjoint, part) in zip(adjoints, problem.parts) {
                // The input of a 1×1 shortcut is larger than its output, and the block's other branch has yet to come.
                adjoint?.contributeLater {
                    adjoint?.contributeBilinear(g, savedWeight) { g, w, out, accumulate in
                        problem.inputGradient(part, g, w, out, accumulate)
                    }
                }
            }
            let pixels = outputShape[1] * outputShape[2]
            biasAdjoint?.contributeLinear(cotangent) { g, out, accumulate in
                dk_sum_pixels(g.pointer, 1, outputShape[0] * pixels, outputShape[3], out, accumulate)
            }
            imageBiasAdjoint?.contributeLinear(cotangent) { g, out, accumulate in
                dk_sum_pixels(g.pointer, outputShape[0], pixels, outputShape[3], out, accumulate)
            }
            // Nobody needs the cotangent any more.
            residualAdjoint?.contribute(adopting: Dual(cotangent))
        }
    }
}
