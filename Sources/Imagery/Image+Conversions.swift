extension Image {
    /// Rec. 601 luma, (299 R + 587 G + 114 B) / 1000 rounded to nearest.
    static func luma(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> UInt8 {
        let weighted: Int = 299 * Int(red) + 587 * Int(green) + 114 * Int(blue)
        return UInt8((weighted + 500) / 1000)
    }

    /// In another number of channels: grey is repeated, RGB becomes luma, a missing alpha is opaque. Where RGBA loses
    /// its alpha it is laid over `background` first.
    ///
    /// - Precondition: `target` is 1, 3 or 4.
    public func converted(toChannels target: Int, over background: RGBColor = .black) -> Image {
        precondition(target == 1 || target == 3 || target == 4, "an image has 1, 3 or 4 channels")
        if target == channels { return self }
        if channels == 4 { return compositing(over: background).converted(toChannels: target) }
        var out = [UInt8]()
        out.reserveCapacity(width * height * target)
        for pixel in stride(from: 0, to: pixels.count, by: channels) {
            let red = pixels[pixel]
            let green = channels == 1 ? red : pixels[pixel + 1]
            let blue = channels == 1 ? red : pixels[pixel + 2]
            if target == 1 {
                out.append(Image.luma(red, green, blue))
            } else {
                out.append(red)
                out.append(green)
                out.append(blue)
                if target == 4 { out.append(255) }
            }
        }
        return Image(width: width, height: height, channels: target, pixels: out)
    }

    /// RGBA laid over one colour, as RGB: (α·v + (255 − α)·background) / 255 rounded to nearest. Images without alpha
    /// come back as they are.
    public func compositing(over background: RGBColor) -> Image {
        guard channels == 4 else { return self }
        let behind = background.samples(channels: 3).map(Int.init)
        var out = [UInt8]()
        out.reserveCapacity(width * height * 3)
        for pixel in stride(from: 0, to: pixels.count, by: 4) {
            let alpha = Int(pixels[pixel + 3])
            for c in 0..<3 {
                let blended: Int = alpha * Int(pixels[pixel + c]) + (255 - alpha) * behind[c]
                out.append(UInt8((blended + 127) / 255))
            }
        }
        return Image(width: width, height: height, channels: 3, pixels: out)
    }

    /// Every pixel as a square of `factor` × `factor` pixels.
    ///
    /// - Precondition: `factor` ≥ 1.
    public func enlarged(by factor: Int) -> Image {
        precondition(factor >= 1, "an enlargement is by 1 or more")
        if factor == 1 { return self }
        return repeatingPixels(toWidth: width * factor, height: height * factor)
    }

    /// Nearest neighbour to whole multiples of the two sides.
    func repeatingPixels(toWidth newWidth: Int, height newHeight: Int) -> Image {
        let across = newWidth / width
        let down = newHeight / height
        var out = [UInt8]()
        out.reserveCapacity(newWidth * newHeight * channels)
        for y in 0..<height {
            let start = out.count
            for x in 0..<width {
                let pixel = (y * width + x) * channels
                for _ in 0..<across {
                    for c in 0..<channels { out.append(pixels[pixel + c]) }
                }
            }
            let row = Array(out[start...])
            for _ in 1..<max(down, 1) { out.append(contentsOf: row) }
        }
        return Image(width: newWidth, height: newHeight, channels: channels, pixels: out)
    }
}
