import Models
import TensorCore

/// What a denoiser gave, taken apart: the second half of the channels are variances, where it predicts some.
public struct Prediction {
    /// `[B, H, W, C]`.
    public let image: Tensor
    /// Of the same shape.
    public let variance: Tensor?

    /// - Parameters:
    ///   - output: what the network gave, `[B, H, W, channels]` or with twice as many.
    ///   - channels: C, of the images.
    /// - Throws: `ModelInputError` for another number of channels than C or twice that.
    public init(_ output: Tensor, channels: Int) throws {
        let given = output.shape[3]
        guard given != channels else {
            (image, variance) = (output, nil)
            return
        }
        guard given == 2 * channels else {
            throw ModelInputError.mismatch(
                what: "the number of predicted channels", got: "\(given)", expected: "\(channels) or \(2 * channels)")
        }
        let both = Variable(output)
        (image, variance) = (both.channels(0..<channels).value, both.channels(channels..<given).value)
    }
}
