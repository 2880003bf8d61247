import Layers
import TensorCore

/// What a classifier makes features of images with, before they are averaged over the pixels.
protocol ClassifierBody {
    /// In the order of construction.
    var parameters: [Parameter] { get }
    var normalizations: [any ChannelNormalization] { get }
    /// Multiply–accumulates by layer for one image.
    var computeTerms: [ComputeTerm] { get }
    /// The channels of the features.
    var output: ChannelAxis { get }

    /// `[B, H, W, C]` → `[B, H', W', output]`.
    func callAsFunction(_ x: Variable) -> Variable
}
