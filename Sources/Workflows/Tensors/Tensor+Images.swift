import Imagery
import TensorCore

extension Tensor {
    /// Each image of `[N, H, W, C]`, values in [−1, 1], as 8-bit pixels.
    public func images() throws -> [Image] {
        let (height, width, channels) = (shape[1], shape[2], shape[3])
        let size = height * width * channels
        return try (0..<shape[0]).map { index in
            try Image(
                signedUnit: UnsafeBufferPointer(start: pointer + index * size, count: size), height: height,
                width: width,
                channels: channels)
        }
    }
}
