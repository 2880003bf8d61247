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
    ///   - bias: `[Cout]`
    ///   - imageBias: `[B, Cout]`, added to every pixel of an image (the time embedding's projection).
    ///   - residual: of the output's shape, added in the same pass.
    /// - Returns: `[B, H', W', Cout]`, H' = (H + top + bottom − k)/stride + 1.
    public func convolved(
        with weight: Variable, bias: Variable? = nil, imageBias: Variable? = nil, residual: Variable? = nil,
        stride: Int = 1, padding: ConvolutionPadding = .one
    ) -> Variable {
        let geometry = Self.geometry(shape, weight.shape, stride: stride, padding: padding)
        let outputShape = [geometry.batch, geometry.out_height, geometry.out_width, geometry.out_channels]
        precondition(bias.map { $0.value.count == geometry.out_channels } ?? true, "bias of another width")
        precondition(
            residual.map { $0.shape == outputShape } ?? true, "residual \(residual!.shape) onto \(outputShape)")
        precondition(
            imageBias.map { $0.shape == [geometry.batch, geometry.out_channels] } ?? true,
            "image bias \(imageBias!.shape) onto \(outputShape)")

        let x = Dual(self)
        let w = Dual(weight)
        let output = Tensor(uninitialized: outputShape)
        let prepared = Autograd.isRecording ? nil : PreparedWeights.current?.packed(weight, for: geometry)
        withUnsafePointer(to: geometry) {
            if let prepared {
                dk_conv_forward_packed(
                    $0, x.value.pointer, prepared.pointer, bias?.value.pointer, imageBias?.value.pointer,
                    residual?.value.pointer, output.pointer, 0)
            } else {
                dk_conv_forward(
                    $0, x.value.pointer, w.value.pointer, bias?.value.pointer, imageBias?.value.pointer,
                    residual?.value.pointer, output.pointer, 0)
            }
        }
        let tangent = Self.convolutionTangent(
            geometry, outputShape, x, w, bias: bias?.tangent, imageBias: imageBias?.tangent, residual: residual?.tangent
        )

        return .result(output, tangent: tangent, of: [self, weight, bias, imageBias, residual]) { [self] cotangent in
            let g = Dual(cotangent)
            contributeBilinear(g, w) { g, w, out, accumulate in
                withUnsafePointer(to: geometry) { dk_conv_input_gradient($0, g.pointer, w.pointer, out, accumulate) }
            }
            weight.contributeBilinear(x, g) { x, g, out, accumulate in
                withUnsafePointer(to: geometry) { dk_conv_weight_gradient($0, x.pointer, g.pointer, out, accumulate) }
            }
            let pixels = geometry.out_height * geometry.out_width
            bias?.contributeLinear(cotangent) { g, out, accumulate in
                dk_sum_pixels(g.pointer, 1, geometry.batch * pixels, geometry.out_channels, out, accumulate)
            }
            imageBias?.contributeLinear(cotangent) { g, out, accumulate in
                dk_sum_pixels(g.pointer, geometry.batch, pixels, geometry.out_channels, out, accumulate)
            }
            residual?.contributeLinear(cotangent) { g, out, accumulate in
                dk_linear_combination(1, g.pointer, 0, nil, g.count, out, accumulate)
            }
        }
    }

    private static func geometry(
        _ input: [Int], _ weight: [Int], stride: Int, padding: ConvolutionPadding
    ) -> dk_conv_shape {
        precondition(input.count == 4 && weight.count == 4, "convolution of \(input) with \(weight)")
        precondition(
            weight[2] == input[3] && weight[0] == weight[1] && (weight[0] == 1 || weight[0] == 3),
            "convolution of \(input) with \(weight)")
        let kernel = weight[0]
        return dk_conv_shape(
            batch: input[0], in_height: input[1], in_width: input[2], in_channels: input[3],
            out_height: (input[1] + padding.top + padding.bottom - kernel) / stride + 1,
            out_width: (input[2] + padding.left + padding.right - kernel) / stride + 1, out_channels: weight[3],
            kernel: kernel, stride: stride, pad_top: padding.top, pad_left: padding.left)
    }

    private static func convolutionTangent(
        _ geometry: dk_conv_shape, _ outputShape: [Int], _ x: Dual, _ w: Dual, bias: Tensor?, imageBias: Tensor?,
        residual: Tensor?
    ) -> Tensor? {
        guard x.tangent != nil || w.tangent != nil || bias != nil || imageBias != nil || residual != nil else {
            return nil
        }
        let result = Tensor(uninitialized: outputShape)
        withUnsafePointer(to: geometry) {
            // The additive inputs' tangents ride along with the first product; with no product there is a zero one.
            if let tangent = x.tangent {
                dk_conv_forward(
                    $0, tangent.pointer, w.value.pointer, bias?.pointer, imageBias?.pointer, residual?.pointer,
                    result.pointer, 0)
                if let tangent = w.tangent {
                    dk_conv_forward($0, x.value.pointer, tangent.pointer, nil, nil, nil, result.pointer, 1)
                }
            } else {
                let weightTangent = w.tangent ?? Tensor(zeros: w.value.shape)
                dk_conv_forward(
                    $0, x.value.pointer, weightTangent.pointer, bias?.pointer, imageBias?.pointer, residual?.pointer,
                    result.pointer, 0)
            }
        }
        return result
    }
}
