/// Why a picture file could not be read or written; `file` is the path as given.
public enum ImageFileError: Error, Equatable, CustomStringConvertible {
    case unreadable(file: String, reason: String)
    /// Not whole, or damaged; `format` is the one it was read as, as "PNG".
    case broken(file: String, format: String, reason: String)
    /// A picture, but of a format that is not read.
    case unsupported(file: String, format: String)
    case tooLarge(file: String, width: Int, height: Int)
    case unwritable(file: String, reason: String)
    case notEncoded(reason: String)

    public var description: String {
        switch self {
        case .unreadable(let file, let reason): "cannot read \(file): \(reason)"
        case .broken(let file, let format, let reason): "\(file) is not a whole \(format): \(reason)"
        case .unsupported(let file, let format):
            "\(file) holds a \(format) image; PNG and JPEG are read. ImageMagick converts a folder: "
                + ImageFormat.conversion(of: file)
        case .tooLarge(let file, let width, let height):
            "\(file) is \(width)×\(height) pixels; at most \(PNG.limits) are read"
        case .unwritable(let file, let reason): "cannot write \(file): \(reason)"
        case .notEncoded(let reason): "cannot make a PNG: \(reason)"
        }
    }
}
