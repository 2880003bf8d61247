extension Image {
    /// The difference of `b` from `a`, for the eye: 128 + amplification · (b − a), rounded and clamped to 0…255.
    /// Mid-grey is equal, lighter is more in `b`. With amplification 1 differences past 127 levels saturate; with k,
    /// past 127 / k. Images with alpha are laid over `background` first.
    ///
    /// - Throws: `ImageError.sizesDiffer` unless width, height and channels agree.
    /// - Precondition: `amplification` is finite.
    public static func difference(
        _ a: Image, _ b: Image, amplification: Float = 4, background: RGBColor = .black
    ) throws -> Image {
        precondition(amplification.isFinite, "an amplification is a finite number")
        let first = a.compositing(over: background)
        let second = b.compositing(over: background)
        guard first.width == second.width, first.height == second.height, first.channels == second.channels else {
            throw ImageError.sizesDiffer(a.sizeText, b.sizeText)
        }
        let pixels = zip(first.pixels, second.pixels).map { x, y in
            let level = 128 + amplification * Float(Int(y) - Int(x))
            return UInt8(min(max(level.rounded(), 0), 255))
        }
        return Image(width: first.width, height: first.height, channels: first.channels, pixels: pixels)
    }

    /// "32×32, 3 channels", for messages.
    var sizeText: String { "\(width)×\(height), \(channels) \(channels == 1 ? "channel" : "channels")" }
}
