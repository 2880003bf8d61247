/// Formats of picture files: those that are read, and others that are known so that a message can name them.
enum ImageFormat: CaseIterable, Sendable {
    case png, jpeg, gif, bmp, tiff, webP, avif, heif, jpeg2000, jpegXL, netpbm, targa, photoshop, svg, icon

    var name: String {
        switch self {
        case .png: "PNG"
        case .jpeg: "JPEG"
        case .gif: "GIF"
        case .bmp: "BMP"
        case .tiff: "TIFF"
        case .webP: "WebP"
        case .avif: "AVIF"
        case .heif: "HEIF"
        case .jpeg2000: "JPEG 2000"
        case .jpegXL: "JPEG XL"
        case .netpbm: "Netpbm"
        case .targa: "Targa"
        case .photoshop: "Photoshop"
        case .svg: "SVG"
        case .icon: "ICO"
        }
    }

    private var extensions: [String] {
        switch self {
        case .png: ["png"]
        case .jpeg: ["jpg", "jpeg", "jpe", "jfif"]
        case .gif: ["gif"]
        case .bmp: ["bmp", "dib"]
        case .tiff: ["tif", "tiff"]
        case .webP: ["webp"]
        case .avif: ["avif"]
        case .heif: ["heic", "heif"]
        case .jpeg2000: ["jp2", "j2k", "jpx"]
        case .jpegXL: ["jxl"]
        case .netpbm: ["ppm", "pgm", "pbm", "pnm"]
        case .targa: ["tga"]
        case .photoshop: ["psd"]
        case .svg: ["svg"]
        case .icon: ["ico"]
        }
    }

    private static let byExtension = Dictionary(
        uniqueKeysWithValues: allCases.flatMap { format in format.extensions.map { ($0, format) } })

    var isRead: Bool { self == .png || self == .jpeg }

    /// The format that a file's name claims; nil where it claims none.
    init?(fileName: String) {
        guard let format = Self.byExtension[Self.ending(of: fileName).lowercased()] else { return nil }
        self = format
    }

    /// What stands behind the last dot; empty without one.
    static func ending(of fileName: String) -> String {
        fileName.lastIndex(of: ".").map { String(fileName[fileName.index(after: $0)...]) } ?? ""
    }

    /// The format by the first bytes of a file; nil for those that have no signature, and for anything else.
    init?(signature bytes: [UInt8]) {
        func begins(_ text: String, at offset: Int = 0) -> Bool {
            bytes.dropFirst(offset).starts(with: text.utf8)
        }
        switch bytes {
        case _ where bytes.starts(with: [0x89, 0x50, 0x4e, 0x47]): self = .png
        case _ where bytes.starts(with: [0xff, 0xd8, 0xff]): self = .jpeg
        case _ where begins("GIF8"): self = .gif
        case _ where begins("BM"): self = .bmp
        case _ where begins("II*\0") || begins("MM\0*"): self = .tiff
        case _ where begins("RIFF") && begins("WEBP", at: 8): self = .webP
        case _ where begins("ftypavi", at: 4): self = .avif
        case _ where begins("ftyphe", at: 4) || begins("ftypmif1", at: 4): self = .heif
        case _ where begins("jP  ", at: 4): self = .jpeg2000
        case _ where begins("JXL ", at: 4) || bytes.starts(with: [0xff, 0x0a]): self = .jpegXL
        case _ where begins("8BPS"): self = .photoshop
        default: return nil
        }
    }

    /// Bytes that are enough to tell.
    static let signatureLength = 16

    /// A command that turns files like this one into what is read.
    static func conversion(of fileName: String) -> String {
        let ending = ending(of: fileName)
        return "mogrify -format png *.\(ending) && rm *.\(ending)"
    }
}
