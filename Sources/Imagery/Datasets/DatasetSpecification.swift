/// Which data set to read, and how to bring its images to one size and one number of channels.
///
/// Each image is laid over `background` where it is transparent (unless four channels are asked for), converted to
/// `channels`, then fitted to `size`.
public struct DatasetSpecification: Sendable, Equatable {
    public enum Split: String, Sendable, Codable, CaseIterable {
        case train, validation, test

        /// What folders of it are called, in small letters.
        var folderNames: [String] {
            switch self {
            case .train: ["train", "training"]
            case .validation: ["validation", "valid", "val", "dev"]
            case .test: ["test", "testing", "eval", "evaluation"]
            }
        }
    }

    public enum Fit: String, Sendable, Codable, CaseIterable {
        /// Shape and, where it fits, scale are kept: the image is centred (an odd pixel goes right and below) on the
        /// padding colour, first shrunk if a side is too long.
        case pad
        /// Stretched to the size: nearest for whole-number enlargement, else bilinear, antialiased when shrinking.
        case resize
    }

    /// A folder or a file; see `DatasetReader.open`.
    public var path: String
    /// The column of `metadata.jsonl` or `metadata.csv` that holds the classes; nil for `label` where there is one,
    /// else folders are the classes.
    public var labelColumn: String?
    /// Which part to read where the path is a folder with several. Folders without parts are all `train`. A path to a
    /// single file names the part itself.
    public var split: Split
    /// Both sides of the images, 1…4096; nil keeps the size they have, which must then be the same for all.
    public var size: Int?
    /// 1, 3 or 4; nil for 1 when all images are grey without transparency, else 3.
    public var channels: Int?
    /// Behind transparent pixels.
    public var background: RGBColor
    public var fit: Fit
    /// Around images that `pad` centres; nil for `background`.
    public var padding: RGBColor?
    /// At most this many images, from the first. The order of folders with labels goes round the classes, so that a
    /// limit leaves as many of each as it can.
    public var limit: Int?

    public init(
        path: String, split: Split = .train, labelColumn: String? = nil, size: Int? = nil, channels: Int? = nil,
        background: RGBColor = .black, fit: Fit = .pad, padding: RGBColor? = nil, limit: Int? = nil
    ) {
        self.path = path
        self.split = split
        self.labelColumn = labelColumn
        self.size = size
        self.channels = channels
        self.background = background
        self.fit = fit
        self.padding = padding
        self.limit = limit
    }

    static let maximumSize = 4096

    /// Throws `DatasetError.badOption` for a number out of range.
    func validate() throws {
        if let size, !(1...Self.maximumSize).contains(size) {
            throw DatasetError.badOption("the image size is \(size); expected 1 to \(Self.maximumSize)")
        }
        if let channels, ![1, 3, 4].contains(channels) {
            throw DatasetError.badOption(
                "the number of channels is \(channels); expected 1 (grey), 3 (RGB) or 4 (RGBA)")
        }
        if let limit, limit < 1 {
            throw DatasetError.badOption("the limit on images is \(limit); expected 1 or more")
        }
    }
}
