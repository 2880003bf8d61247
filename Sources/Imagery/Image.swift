/// An 8-bit picture: grey, RGB or RGBA.
public struct Image: Sendable, Equatable {
    /// Pixels in a row; at least 1.
    public let width: Int
    /// Rows; at least 1.
    public let height: Int
    /// 1 grey, 3 RGB, 4 RGBA (alpha not premultiplied).
    public let channels: Int
    /// Samples, interleaved, rows from the top: `pixels[(y * width + x) * channels + c]`.
    public internal(set) var pixels: [UInt8]

    /// - Precondition: both sides ≥ 1, `channels` is 1, 3 or 4, and `pixels` holds height × width × channels samples.
    public init(width: Int, height: Int, channels: Int, pixels: [UInt8]) {
        precondition(width > 0 && height > 0, "an image has at least one pixel")
        precondition(channels == 1 || channels == 3 || channels == 4, "an image has 1, 3 or 4 channels")
        precondition(pixels.count == width * height * channels, "an image holds height × width × channels samples")
        self.width = width
        self.height = height
        self.channels = channels
        self.pixels = pixels
    }

    /// One colour all over.
    public init(width: Int, height: Int, channels: Int, filledWith color: RGBColor) {
        let sample = color.samples(channels: channels)
        var pixels = [UInt8](repeating: sample[0], count: width * height * channels)
        if channels > 1 {
            for i in pixels.indices { pixels[i] = sample[i % channels] }
        }
        self.init(width: width, height: height, channels: channels, pixels: pixels)
    }

    /// Copies `other` with its top left corner at (x, y); both have the same number of channels and `other` fits.
    mutating func paste(_ other: Image, x: Int, y: Int) {
        precondition(other.channels == channels && x >= 0 && y >= 0)
        precondition(x + other.width <= width && y + other.height <= height)
        let length = other.width * channels
        for row in 0..<other.height {
            let from = row * length
            let to = ((y + row) * width + x) * channels
            pixels.replaceSubrange(to..<to + length, with: other.pixels[from..<from + length])
        }
    }
}

/// What can be wrong with the values an image is made from.
public enum ImageError: Error, Equatable, CustomStringConvertible {
    /// A sample is not a number; `index` counts samples from the start of the image.
    case notANumber(index: Int, height: Int, width: Int, channels: Int)
    /// Two images that are compared differ in size.
    case sizesDiffer(String, String)
    /// A picture to be made would be larger than `PNG.maximumPixels`, or a size is not positive.
    case unusableSize(String)

    public var description: String {
        switch self {
        case .notANumber(let index, let height, let width, let channels):
            let pixel = index / channels
            return "the image of \(width)×\(height)×\(channels) holds NaN at row \(pixel / width), column "
                + "\(pixel % width), channel \(index % channels); expected numbers, of which [-1, 1] is shown"
        case .sizesDiffer(let first, let second):
            return "images of different sizes cannot be compared: \(first) and \(second)"
        case .unusableSize(let message):
            return message
        }
    }
}
