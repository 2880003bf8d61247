extension Image {
    /// Stretched to another size. Where both sides grow by whole numbers, or stay, pixels are repeated; otherwise
    /// bilinear, the filter as wide as the step between pixels when shrinking (antialiased), weights in double
    /// precision, rounded once at the end. Colours are weighted by their alpha.
    ///
    /// - Precondition: both sides ≥ 1.
    public func resized(toWidth newWidth: Int, height newHeight: Int) -> Image {
        precondition(newWidth > 0 && newHeight > 0, "an image has at least one pixel")
        if newWidth == width && newHeight == height { return self }
        if newWidth % width == 0 && newHeight % height == 0 {
            return repeatingPixels(toWidth: newWidth, height: newHeight)
        }
        var samples = pixels.map(Double.init)
        if channels == 4 { scaleColorsByAlpha(&samples) { color, alpha in color * alpha / 255 } }
        let across = TriangleFilter(from: width, to: newWidth)
        let down = TriangleFilter(from: height, to: newHeight)
        samples = across.apply(to: samples, outer: height, inner: channels)
        samples = down.apply(to: samples, outer: 1, inner: newWidth * channels)
        if channels == 4 {
            scaleColorsByAlpha(&samples) { color, alpha in alpha > 0 ? color * 255 / alpha : 0 }
        }
        return Image(
            width: newWidth, height: newHeight, channels: channels,
            pixels: samples.map { UInt8(min(max($0.rounded(), 0), 255)) })
    }

    private func scaleColorsByAlpha(_ samples: inout [Double], _ scale: (_ color: Double, _ alpha: Double) -> Double) {
        for pixel in stride(from: 0, to: samples.count, by: 4) {
            for c in 0..<3 { samples[pixel + c] = scale(samples[pixel + c], samples[pixel + 3]) }
        }
    }

    /// Fitted to `side` × `side` pixels as `DatasetSpecification.Fit` says.
    func fitted(to side: Int, _ fit: DatasetSpecification.Fit, padding: RGBColor) -> Image {
        if width == side && height == side { return self }
        if fit == .resize { return resized(toWidth: side, height: side) }
        let longest = max(width, height)
        if longest > side {
            func shrunk(_ length: Int) -> Int {
                max(1, Int((Double(length) * Double(side) / Double(longest)).rounded()))
            }
            return resized(toWidth: shrunk(width), height: shrunk(height)).fitted(to: side, fit, padding: padding)
        }
        var canvas = Image(width: side, height: side, channels: channels, filledWith: padding)
        canvas.paste(self, x: (side - width) / 2, y: (side - height) / 2)
        return canvas
    }
}

/// The weights that make a line of `to` samples from one of `from`: a triangle around each new sample's centre, two old
/// samples wide or, when shrinking, two new ones; cut at the borders and normalised.
private struct TriangleFilter {
    private struct Tap {
        let first: Int
        let weights: [Double]
    }

    private let from: Int
    private let taps: [Tap]

    init(from: Int, to: Int) {
        self.from = from
        let step = Double(from) / Double(to)
        let support = max(step, 1)
        taps = (0..<to).map { index in
            let center = (Double(index) + 0.5) * step
            let first = max(0, Int((center - support + 0.5).rounded(.down)))
            let end = min(from, Int((center + support + 0.5).rounded(.down)))
            let weights = (first..<end).map { max(0, 1 - abs((Double($0) + 0.5 - center) / support)) }
            let sum = weights.reduce(0, +)
            return Tap(first: first, weights: weights.map { $0 / sum })
        }
    }

    /// Filters the middle axis of `outer` × `from` × `inner` samples.
    func apply(to samples: [Double], outer: Int, inner: Int) -> [Double] {
        var out = [Double](repeating: 0, count: outer * taps.count * inner)
        samples.withUnsafeBufferPointer { samples in
            for block in 0..<outer {
                for (index, tap) in taps.enumerated() {
                    let to = (block * taps.count + index) * inner
                    for (offset, weight) in tap.weights.enumerated() {
                        let start = (block * from + tap.first + offset) * inner
                        for i in 0..<inner { out[to + i] += weight * samples[start + i] }
                    }
                }
            }
        }
        return out
    }
}
