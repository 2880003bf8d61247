/// A colour of three 8-bit samples: a background, a padding, the colour of text.
public struct RGBColor: Sendable, Hashable, Codable {
    public var red: UInt8
    public var green: UInt8
    public var blue: UInt8

    public init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
        self.red = red
        self.green = green
        self.blue = blue
    }

    public static let black = RGBColor(0, 0, 0)
    public static let white = RGBColor(255, 255, 255)

    public var isGrey: Bool { red == green && green == blue }

    /// The luma as `Image.converted` computes it, 0…255.
    public var luma: UInt8 { Image.luma(red, green, blue) }

    /// Black on a light colour, white on a dark one.
    var contrasting: RGBColor { luma >= 128 ? .black : .white }

    /// The samples as an image of this many channels (1, 3 or 4) would hold them, opaque.
    func samples(channels: Int) -> [UInt8] {
        switch channels {
        case 1: [luma]
        case 3: [red, green, blue]
        default: [red, green, blue, 255]
        }
    }
}
