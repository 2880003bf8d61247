import CImagery
import Files
import Foundation

/// Reading and writing PNG files, over libpng.
public enum PNG {
    /// The maximum side read or drawn, in pixels.
    public static let maximumSide = 32_768
    /// The maximum number of pixels read or drawn: 64 megapixels.
    public static let maximumPixels = 64 << 20

    /// Reads any PNG. 1-, 2- and 4-bit samples are expanded, 16-bit ones scaled; palettes become RGB; transparency of
    /// any kind gives four channels, its absence one (grey) or three. Gamma and colour profiles are not applied.
    ///
    /// - Throws: `ImageFileError`, which names the file, when it cannot be read, is damaged anywhere or is over the
    ///   limits.
    public static func read(_ url: URL) throws -> Image {
        try decode(ImageFile.data(of: url), name: url.path)
    }

    /// As `read`, from memory; `name` is what errors call it.
    public static func decode(_ data: Data, name: String) throws -> Image {
        try Decoding.run(data, name: name, format: .png, by: cimagery_png_decode)
    }

    /// An 8-bit PNG; equal images give equal bytes (for one version of zlib).
    ///
    /// - Throws: `ImageFileError.notEncoded` when the image is over the limits or memory runs out.
    public static func encode(_ image: Image) throws -> Data {
        guard image.width <= maximumSide, image.height <= maximumSide, image.width * image.height <= maximumPixels
        else {
            throw ImageFileError.notEncoded(
                reason: "\(image.width)×\(image.height) pixels is more than the \(limits) allowed")
        }
        var message = [CChar](repeating: 0, count: Int(CIMAGERY_MESSAGE_SIZE))
        var bytes: UnsafeMutablePointer<UInt8>?
        var count = 0
        let status = image.pixels.withUnsafeBufferPointer { pixels in
            var raw = cimagery_image(
                pixels: UnsafeMutablePointer(mutating: pixels.baseAddress), width: UInt32(image.width),
                height: UInt32(image.height), channels: UInt32(image.channels))
            return cimagery_png_encode(&raw, &bytes, &count, &message)
        }
        defer { cimagery_free(bytes) }
        guard status == CIMAGERY_OK, let bytes else { throw ImageFileError.notEncoded(reason: text(message)) }
        return Data(bytes: bytes, count: count)
    }

    /// Writes through a temporary file beside `url` that is then renamed: at `url` there is the old file or the whole
    /// new one, whenever the process is stopped. The folder must exist.
    ///
    /// - Throws: `ImageFileError.unwritable`, which names the file, or what `encode` throws.
    public static func write(_ image: Image, to url: URL) throws {
        let data = try encode(image)
        do {
            try AtomicFile.write(data, to: url, durably: false)
        } catch let error as StorageError {
            throw ImageFileError.unwritable(file: url.path, reason: error.reason)
        }
    }

    static let limits = "\(maximumSide) a side and \(maximumPixels >> 20) megapixels"

    static func text(_ message: [CChar]) -> String {
        String(decoding: message.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
