extension InMemoryDataset {
    /// From floats in [−1, 1], as `Image(signedUnit:)` makes pictures of them.
    ///
    /// - Parameters:
    ///   - values: NHWC, count × height × width × channels samples.
    ///   - height: of every image.
    ///   - width: of every image.
    ///   - channels: 1 grey, 3 RGB, 4 RGBA.
    ///   - labels: one an image, or nil.
    ///   - labelCount: classes; nil without labels.
    /// - Throws: `ImageError.notANumber`.
    /// - Precondition: as `init(pixels:height:width:channels:labels:labelCount:labelNames:)`.
    public init(
        signedUnit values: UnsafeMutableBufferPointer<Float>, height: Int, width: Int, channels: Int,
        labels: [Int]? = nil, labelCount: Int? = nil
    ) throws {
        let size = height * width * channels
        var pixels: [UInt8] = []
        pixels.reserveCapacity(values.count)
        for start in stride(from: 0, to: values.count, by: size) {
            let image = UnsafeBufferPointer(rebasing: values[start..<start + size])
            pixels += try Image(signedUnit: image, height: height, width: width, channels: channels).pixels
        }
        self.init(
            pixels: pixels, height: height, width: width, channels: channels, labels: labels, labelCount: labelCount)
    }
}
