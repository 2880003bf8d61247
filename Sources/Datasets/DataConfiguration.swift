import Configuration
import Files
import Imagery

/// The `data` section: which images, brought to which size.
public struct DataConfiguration: ConfigurationSection, Equatable {
    /// Folder or file: IDX, CIFAR-10 binary, PNG or JPEG.
    public var path = ""
    public var split = DatasetSpecification.Split.train
    /// Column of `metadata.jsonl` or `metadata.csv` that holds the classes; empty for `label` where there is one, else
    /// folders are the classes.
    public var labelColumn = ""
    public var fit = DatasetSpecification.Fit.pad
    /// Behind transparent pixels and around padded images: red, green, blue in 0...255.
    public var background = [0, 0, 0]
    /// At most this many images; 0 for all.
    public var limit = 0
    /// Whether half the training images, at random, are mirrored left to right.
    public var flip = false

    public init() {}

    public func validate() throws {
        try require(
            background.count == 3 && background.allSatisfy((0...255).contains), "background",
            got: background.count > 8 ? "\(background.count) numbers" : "\(background)",
            expected: "three numbers in 0...255")
        try require(limit >= 0, "limit", got: limit, expected: "at least 0")
    }

    /// Throws where there is no path.
    package func requirePath(expected: String) throws {
        guard path.isEmpty else { return }
        throw SettingError(
            key: "data.path", got: "missing", expected: expected)
    }

    /// The images, brought to this height and width and these channels.
    ///
    /// - Parameters:
    ///   - split: takes the place of the section's.
    ///   - size: height and width that images are brought to.
    ///   - channels: 1 grey, 3 RGB.
    /// - Throws: `SettingError`, `DatasetError`.
    public func open(_ split: DatasetSpecification.Split? = nil, size: Int, channels: Int) throws -> InMemoryDataset {
        try requirePath(expected: "a folder or file of images")
        let behind = RGBColor(UInt8(background[0]), UInt8(background[1]), UInt8(background[2]))
        return try DatasetReader.open(
            DatasetSpecification(
                path: path, split: split ?? self.split, labelColumn: labelColumn.isEmpty ? nil : labelColumn,
                size: size,
                channels: channels, background: behind, fit: fit, limit: limit == 0 ? nil : limit))
    }

    /// The same with labels.
    /// - Throws: also `SettingError` where there are none.
    public func openLabelled(
        _ split: DatasetSpecification.Split? = nil, size: Int, channels: Int
    ) throws -> InMemoryDataset {
        try requirePath(expected: "a folder of labelled images")
        let dataset = try open(split, size: size, channels: channels)
        guard dataset.labelCount != nil else {
            throw SettingError(
                key: "data.path", got: "images without labels",
                expected: "labels to learn from: a folder a class, or a metadata.csv with file_name and label")
        }
        return dataset
    }
}
