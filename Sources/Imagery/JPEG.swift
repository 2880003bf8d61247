import CImagery
import Foundation

/// Reading JPEG files, over libjpeg-turbo.
public enum JPEG {
    /// Reads a baseline or progressive JPEG as grey or RGB, turned as its EXIF orientation says. The pixels are those
    /// that Pillow gives, with libjpeg-turbo's accurate integer transform and smooth enlargement of chroma. CMYK
    /// becomes RGB without a colour profile; profiles are not applied.
    ///
    /// - Throws: `ImageFileError`, which names the file, when it cannot be read, ends early, holds damaged data or is
    ///   over the limits.
    public static func read(_ url: URL) throws -> Image { try decode(ImageFile.data(of: url), name: url.path) }

    /// As `read`, from memory; `name` is what errors call it.
    public static func decode(_ data: Data, name: String) throws -> Image {
        try Decoding.run(data, name: name, format: .jpeg, by: cimagery_jpeg_decode)
            .turned(EXIFOrientation(ofJPEG: [UInt8](data)))
    }
}
