import Layers
import TensorCore

/// Where a level of a score-based U-Net meets the image that runs beside it, smaller from level to level on the way
/// down and growing on the way up (diffusers' Skip and AttnSkip blocks).
///
/// Based on: Song et al., "Score-Based Generative Modeling through Stochastic Differential Equations", 2021: NCSN++
/// with the progressive architectures "input skip" and "output skip".
package enum ImagePyramid {
    /// Down: the halved image is added to the resampled stream through a 1×1 convolution.
    case input(Conv2d)
    /// Up, before the stream is resampled: the normalised stream is added to the doubled image through a 3×3
    /// convolution.
    case output(GroupNorm, Conv2d)
    /// Up, at full size: the image is only doubled.
    case enlargement

    var parameters: [Parameter] {
        switch self {
        case .input(let conv): conv.parameters
        case .output(let norm, let conv): norm.parameters + conv.parameters
        case .enlargement: []
        }
    }

    var normalizations: [GroupNorm] {
        if case .output(let norm, _) = self { return [norm] }
        return []
    }

    /// On the way down: halves the image and adds what is read from it to the stream.
    func read(_ image: inout Variable, into stream: Variable) -> Variable {
        guard case .input(let conv) = self else { return stream }
        image = image.filteredDown()
        return conv(image, residual: stream)
    }

    /// On the way up: the doubled image, or nothing at the start, with what the stream adds to it.
    func grown(_ image: Variable?, from stream: Variable) -> Variable? {
        let doubled = image?.filteredUp()
        guard case .output(let norm, let conv) = self else { return doubled }
        return conv(norm(stream, activation: .silu), residual: doubled)
    }
}
