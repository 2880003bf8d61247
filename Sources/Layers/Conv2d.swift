import TensorCore

/// A 2-D convolution between two channel axes.
public struct Conv2d: Layer {
    public let weight: Parameter
    /// Zero and none of the layer's parameters where it has no bias.
    public let bias: Parameter
    public let hasBias: Bool
    public let from: ChannelAxis
    public let to: ChannelAxis
    public let kernel: Int
    public let stride: Int
    public let padding: ConvolutionPadding
    public let name: String

    /// - Parameters:
    ///   - name: in files.
    ///   - from: what is read.
    ///   - to: what is made.
    ///   - kernel: 1 or 3.
    ///   - stride: 1 or 2.
    ///   - padding: zeros around the image.
    ///   - hasBias: whether a bias is added a channel.
    public init(
        _ name: String, from: ChannelAxis, to: ChannelAxis, kernel: Int = 3, stride: Int = 1,
        padding: ConvolutionPadding = .one, hasBias: Bool = true
    ) {
        self.name = name
        self.from = from
        self.to = to
        self.kernel = kernel
        self.stride = stride
        self.padding = padding
        self.hasBias = hasBias
        let fanIn = from.originalWidth * kernel * kernel
        weight = Parameter(
            name + ".weight", layout: .convolution, axes: [nil, nil, from, to],
            shape: [kernel, kernel, from.width, to.width], initialization: .uniform(fanIn: fanIn))
        bias = Parameter(
            name + ".bias", layout: .plain, axes: [to], shape: [to.width], initialization: .uniform(fanIn: fanIn))
    }

    public var parameters: [Parameter] { hasBias ? [weight, bias] : [weight] }

    /// `[B, H, W, from]` → `[B, H', W', to]`. The convolution and its biases are multiplied by the gates of `to`; the
    /// residual, which lies on the same axis and is gated where it was made, is not gated twice.
    public func callAsFunction(_ x: Variable, imageBias: Variable? = nil, residual: Variable? = nil) -> Variable {
        self([x], imageBias: imageBias, residual: residual)
    }

    /// The same of the concatenation of `parts`; of more than one, where the kernel is 1×1.
    public func callAsFunction(
        _ parts: [Variable], imageBias: Variable? = nil, residual: Variable? = nil
    ) -> Variable {
        run(parts) { convolved(parts, imageBias: imageBias, residual: residual) }
    }

    /// The same without gates, for a batch normalisation that comes next and has its own.
    public func ungated(_ x: Variable) -> Variable {
        run([x]) {
            SynapticPass.isOn
                ? carried([x], imageBias: nil, residual: nil)
                : .convolved([x], with: weight.effective, bias: addend, stride: stride, padding: padding)
        }
    }

    private func run(_ parts: [Variable], _ body: () -> Variable) -> Variable {
        LayerOperation.run(
            name, kernel == 1 ? .convolution1x1 : .convolution3x3, of: parts, parameters: parameters,
            window: LayerOperation.Window(kernel: kernel, stride: stride, padding: padding),
            products: kernel * kernel * from.width, body)
    }

    private var addend: Variable? { hasBias ? bias.effective : nil }

    private func convolved(_ parts: [Variable], imageBias: Variable?, residual: Variable?) -> Variable {
        if SynapticPass.isOn { return carried(parts, imageBias: imageBias, residual: residual) }
        guard let gate = to.gate else {
            return .convolved(
                parts, with: weight.effective, bias: addend, imageBias: imageBias, residual: residual,
                stride: stride, padding: padding)
        }
        let gated = Variable.convolved(
            parts, with: weight.effective, bias: addend, imageBias: imageBias, stride: stride, padding: padding
        ).gated(by: gate)
        return residual.map { gated + $0 } ?? gated
    }

    /// The same in a `SynapticPass`, of one image.
    private func carried(_ parts: [Variable], imageBias: Variable?, residual: Variable?) -> Variable {
        func gated(_ x: Variable) -> Variable { to.gate.map { x.gated(by: $0) } ?? x }
        var sum = gated(.convolved(parts, with: weight.effective, stride: stride, padding: padding)).carrying(parts)
        if let imageBias { sum = sum + gated(imageBias).everywhere(in: sum.shape) }
        return residual.map { sum + $0 } ?? sum
    }

    /// What is left of the layer when its input axis has no channels: its biases, on top of `residual`.
    public func biasAlone(onto residual: Variable) -> Variable {
        LayerOperation.run(name, .elementwise, of: [residual], parameters: [bias]) {
            guard !SynapticPass.isOn else { return residual }
            let bias = to.gate.map { self.bias.effective.gated(by: $0) } ?? self.bias.effective
            return residual + bias.broadcast(to: residual.shape)
        }
    }

    public func computeTerm(outputPixels: Int) -> ComputeTerm {
        ComputeTerm(layer: name, coefficient: Double(kernel * kernel * outputPixels), axes: [from, to])
    }
}
