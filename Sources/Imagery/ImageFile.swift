import Files
import Foundation

/// Reading picture files of any format that is read: PNG and JPEG. Their contents decide, not their names.
public enum ImageFile {
    static let maximumBytes = 512 << 20

    /// The picture in the file at `url`, as `PNG.read` or `JPEG.read` give it.
    ///
    /// - Throws: `ImageFileError`, which names the file, when it cannot be read, is damaged anywhere, is of another
    ///   format or is over the limits.
    public static func read(_ url: URL) throws -> Image { try decode(data(of: url), name: url.path) }

    /// As `read`, from memory; `name` is what errors call it.
    public static func decode(_ data: Data, name: String) throws -> Image {
        let format = ImageFormat(signature: [UInt8](data.prefix(ImageFormat.signatureLength)))
        switch format ?? ImageFormat(fileName: name) {
        case .jpeg: return try JPEG.decode(data, name: name)
        case .png, nil: return try PNG.decode(data, name: name)
        case let other?: throw ImageFileError.unsupported(file: name, format: other.name)
        }
    }

    /// Whether a file of this name is one to read.
    public static func isName(_ name: String) -> Bool { ImageFormat(fileName: name)?.isRead == true }

    static func data(of url: URL) throws -> Data {
        do {
            return try RegularFile.contents(of: url, limit: maximumBytes)
        } catch let error as StorageError {
            throw ImageFileError.unreadable(file: url.path, reason: error.cause)
        }
    }
}
