import CImagery
import Foundation

/// The way from a C decoder's result to an image or an error.
enum Decoding {
    typealias Decoder = (
        UnsafePointer<UInt8>?, Int, UInt32, UInt64, UnsafeMutablePointer<cimagery_image>?, UnsafeMutablePointer<CChar>?
    ) -> cimagery_status

    static func run(_ data: Data, name: String, format: ImageFormat, by decoder: Decoder) throws -> Image {
        var decoded = cimagery_image()
        var message = [CChar](repeating: 0, count: Int(CIMAGERY_MESSAGE_SIZE))
        let status = data.withUnsafeBytes { bytes in
            decoder(
                bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count, UInt32(PNG.maximumSide),
                UInt64(PNG.maximumPixels), &decoded, &message)
        }
        defer { cimagery_free(decoded.pixels) }
        let width = Int(decoded.width)
        let height = Int(decoded.height)
        if status == CIMAGERY_TOO_LARGE { throw ImageFileError.tooLarge(file: name, width: width, height: height) }
        guard status == CIMAGERY_OK, let pixels = decoded.pixels else {
            throw ImageFileError.broken(file: name, format: format.name, reason: PNG.text(message))
        }
        let channels = Int(decoded.channels)
        let samples = UnsafeBufferPointer(start: pixels, count: width * height * channels)
        return Image(width: width, height: height, channels: channels, pixels: Array(samples))
    }
}
