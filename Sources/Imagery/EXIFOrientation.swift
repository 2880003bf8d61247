/// How a picture lies as it is stored, by the numbers of EXIF: cameras note how they were held instead of turning
/// pixels.
enum EXIFOrientation: Int {
    case upright = 1
    case mirrored, upsideDown, flipped, transposed, turnedLeft, transversed, turnedRight

    /// What a JPEG says in its EXIF segment; `upright` where there is none, or none that can be read.
    init(ofJPEG bytes: [UInt8]) {
        self = Self.segment(ofJPEG: bytes).flatMap(Self.init(ofTIFF:)) ?? .upright
    }

    /// The TIFF structure of the first EXIF segment before the image data.
    private static func segment(ofJPEG bytes: [UInt8]) -> ArraySlice<UInt8>? {
        let mark = Array("Exif\0\0".utf8)
        var place = 2
        while place + 4 <= bytes.count, bytes[place] == 0xff {
            let marker = bytes[place + 1]
            if marker == 0xff {
                place += 1
                continue
            }
            // Start of the image data, or the end.
            if marker == 0xda || marker == 0xd9 { return nil }
            let length = Int(bytes[place + 2]) << 8 | Int(bytes[place + 3])
            guard length >= 2, place + 2 + length <= bytes.count else { return nil }
            let content = bytes[(place + 4)..<(place + 2 + length)]
            if marker == 0xe1, content.starts(with: mark) { return content.dropFirst(mark.count) }
            place += 2 + length
        }
        return nil
    }

    /// Tag 0x0112 of the first directory of a TIFF structure.
    private init?(ofTIFF bytes: ArraySlice<UInt8>) {
        let isLittle: Bool
        switch bytes.prefix(4) {
        case [0x49, 0x49, 0x2a, 0]: isLittle = true
        case [0x4d, 0x4d, 0, 0x2a]: isLittle = false
        default: return nil
        }
        func number(at offset: Int, bytes count: Int) -> Int? {
            guard offset >= 0, offset + count <= bytes.count else { return nil }
            let part = bytes[(bytes.startIndex + offset)..<(bytes.startIndex + offset + count)]
            return (isLittle ? Array(part.reversed()) : Array(part)).reduce(0) { $0 << 8 | Int($1) }
        }
        guard let directory = number(at: 4, bytes: 4), let count = number(at: directory, bytes: 2) else { return nil }
        for entry in 0..<count {
            let place = directory + 2 + 12 * entry
            guard let tag = number(at: place, bytes: 2) else { return nil }
            guard tag == 0x0112 else { continue }
            // A short or a long.
            let width = number(at: place + 2, bytes: 2) == 4 ? 4 : 2
            guard let value = number(at: place + 8, bytes: width) else { return nil }
            self.init(rawValue: value)
            return
        }
        return nil
    }
}

extension Image {
    /// As it is seen upright: mirrored, turned or both.
    func turned(_ orientation: EXIFOrientation) -> Image {
        guard orientation != .upright else { return self }
        let swapsSides = orientation.rawValue >= EXIFOrientation.transposed.rawValue
        let (newWidth, newHeight) = swapsSides ? (height, width) : (width, height)
        let (right, bottom) = (width - 1, height - 1)
        var out = [UInt8]()
        out.reserveCapacity(pixels.count)
        for y in 0..<newHeight {
            for x in 0..<newWidth {
                let (fromX, fromY) =
                    switch orientation {
                    case .upright: (x, y)
                    case .mirrored: (right - x, y)
                    case .upsideDown: (right - x, bottom - y)
                    case .flipped: (x, bottom - y)
                    case .transposed: (y, x)
                    case .turnedLeft: (y, bottom - x)
                    case .transversed: (right - y, bottom - x)
                    case .turnedRight: (right - y, x)
                    }
                let place = (fromY * width + fromX) * channels
                for c in 0..<channels { out.append(pixels[place + c]) }
            }
        }
        return Image(width: newWidth, height: newHeight, channels: channels, pixels: out)
    }
}
