extension Image {
    /// From floats in [−1, 1], the range models work in: (x + 1) · 127.5 rounded half to even and clamped to 0…255, so
    /// infinities give 0 and 255.
    ///
    /// - Parameters:
    ///   - values: HWC, height × width × channels.
    ///   - height: rows.
    ///   - width: pixels of a row.
    ///   - channels: values of a pixel.
    /// - Throws: `ImageError.notANumber` at the first NaN: a diverged model must not pass for a picture.
    /// - Precondition: as `init(width:height:channels:pixels:)`, with `values` in the place of `pixels`.
    public init(signedUnit values: UnsafeBufferPointer<Float>, height: Int, width: Int, channels: Int) throws {
        precondition(values.count == height * width * channels, "expected height × width × channels values")
        var bad: Int?
        let pixels = [UInt8](unsafeUninitializedCapacity: values.count) { out, count in
            for i in 0..<values.count {
                let level = ((values[i] + 1) * 127.5).rounded(.toNearestOrEven)
                if level.isNaN {
                    bad = i
                    break
                }
                out[i] = UInt8(min(max(level, 0), 255))
                count = i + 1
            }
        }
        if let bad {
            throw ImageError.notANumber(index: bad, height: height, width: width, channels: channels)
        }
        self.init(width: width, height: height, channels: channels, pixels: pixels)
    }

    public init(signedUnit values: [Float], height: Int, width: Int, channels: Int) throws {
        self = try values.withUnsafeBufferPointer {
            try Image(signedUnit: $0, height: height, width: width, channels: channels)
        }
    }

    /// The samples as v / 127.5 − 1 in [−1, 1], HWC. `Image(signedUnit:)` gives the same image back.
    public var signedUnit: [Float] { pixels.map(Image.signedUnit) }

    static func signedUnit(_ sample: UInt8) -> Float { Float(sample) / 127.5 - 1 }
}
