import CImagery
import Files
import Foundation

/// Reading and writing PNG files, over libpng.
public enum PNG {
    /// The maximum side read or drawn, in pixels.
    public static let maximumSide = 32_768
    /// The maximum number of pixels read or drawn: 64 megapixels.
    public static let maximumPixels = 64 << 20
    static let maximumFileBytes = 512 << 20

    /// Reads any PNG. 1-, 2- and 4-bit samples are expanded, 16-bit ones scaled; palettes become RGB; transparency of
    /// any kind gives four channels, its absence one (grey) or three. Gamma and colour profiles are not applied.
    ///
    /// - Throws: `PNGError`, which names the file, when it cannot be read, is damaged anywhere or is over the limits.
    public static func read(_ url: URL) throws -> Image {
        let data: Data
        do {
            data = try RegularFile.contents(of: url, limit: maximumFileBytes)
        } catch let error as StorageError {
            throw PNGError.unreadable(file: url.path, reason: error.reason)
        }
        return try decode(data, name: url.path)
    }

    /// As `read`, from memory; `name` is what errors call it.
    public static func decode(_ data: Data, name: String) throws -> Image {
        var decoded = cimagery_image()
        var message = [CChar](repeating: 0, count: Int(CIMAGERY_MESSAGE_SIZE))
        let status = data.withUnsafeBytes { bytes in
            cimagery_png_decode(
                bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count, UInt32(maximumSide), UInt64(maximumPixels),
                &decoded, &message)
        }
        defer { cimagery_free(decoded.pixels) }
        let width = Int(decoded.width)
        let height = Int(decoded.height)
        if status == CIMAGERY_TOO_LARGE { throw PNGError.tooLarge(file: name, width: width, height: height) }
        guard status == CIMAGERY_OK, let pixels = decoded.pixels else {
            throw PNGError.broken(file: name, reason: text(message))
        }
        let channels = Int(decoded.channels)
        let samples = UnsafeBufferPointer(start: pixels, count: width * height * channels)
        return Image(width: width, height: height, channels: channels, pixels: Array(samples))
    }

    /// An 8-bit PNG; equal images give equal bytes (for one version of zlib).
    ///
    /// - Throws: `PNGError.notEncoded` when the image is over the limits or memory runs out.
    public static func encode(_ image: Image) throws -> Data {
        guard image.width <= maximumSide, image.height <= maximumSide, image.width * image.height <= maximumPixels
        else {
            throw PNGError.notEncoded(
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
        guard status == CIMAGERY_OK, let bytes else { throw PNGError.notEncoded(reason: text(message)) }
        return Data(bytes: bytes, count: count)
    }

    /// Writes through a temporary file beside `url` that is then renamed: at `url` there is the old file or the whole
    /// new one, whenever the process is stopped. The folder must exist.
    ///
    /// - Throws: `PNGError.unwritable`, which names the file, or what `encode` throws.
    public static func write(_ image: Image, to url: URL) throws {
        let data = try encode(image)
        do {
            try AtomicFile.write(data, to: url, durably: false)
        } catch let error as StorageError {
            throw PNGError.unwritable(file: url.path, reason: error.reason)
        }
    }

    static let limits = "\(maximumSide) a side and \(maximumPixels >> 20) megapixels"

    static func text(_ message: [CChar]) -> String {
        String(decoding: message.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

/// Why a PNG could not be read or written; `file` is the path as given.
public enum PNGError: Error, Equatable, CustomStringConvertible {
    case unreadable(file: String, reason: String)
    case broken(file: String, reason: String)
    case tooLarge(file: String, width: Int, height: Int)
    case unwritable(file: String, reason: String)
    case notEncoded(reason: String)

    public var description: String {
        switch self {
        case .unreadable(let file, let reason): "cannot read \(file): \(reason)"
        case .broken(let file, let reason): "\(file) is not a whole PNG: \(reason)"
        case .tooLarge(let file, let width, let height):
            "\(file) is \(width)×\(height) pixels; at most \(PNG.limits) are read"
        case .unwritable(let file, let reason): "cannot write \(file): \(reason)"
        case .notEncoded(let reason): "cannot make a PNG: \(reason)"
        }
    }
}
