import Layers
import TensorCore

/// A convolution, its batch normalisation and an activation.
struct NormalizedConvolution: Layer {
    let convolution: Conv2d
    let norm: BatchNorm

    /// - Parameters:
    ///   - name: of the convolution, in files.
    ///   - normName: of the normalisation.
    ///   - from: what is read.
    ///   - to: what is made.
    ///   - kernel: 1 or 3; the image keeps its size but for the stride.
    ///   - stride: 1 or 2.
    ///   - hasBias: of the convolution.
    init(
        _ name: String, _ normName: String, from: ChannelAxis, to: ChannelAxis, kernel: Int = 3, stride: Int = 1,
        hasBias: Bool = false
    ) {
        convolution = Conv2d(
            name, from: from, to: to, kernel: kernel, stride: stride, padding: kernel == 1 ? .none : .one,
            hasBias: hasBias)
        norm = BatchNorm(normName, axis: to)
    }

    var parameters: [Parameter] { convolution.parameters + norm.parameters }

    /// `[B, H, W, from]` → `[B, H', W', to]`.
    func callAsFunction(_ x: Variable, activation: Activation = .relu) -> Variable {
        norm(convolution.ungated(x), activation: activation)
    }
}
