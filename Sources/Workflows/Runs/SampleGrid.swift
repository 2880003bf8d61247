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

/// A square-ish grid of images, enlarged so that small ones can be seen.
public func sampleGrid(_ images: [Image]) throws -> Image {
    let columns = max(1, Int(Double(images.count).squareRoot().rounded(.up)))
    let side = images.first.map { max($0.width, $0.height) } ?? 1
    return try ImageGrid(columns: columns, scale: ImageGrid.scale(forSide: side)).layOut(images)
}
