import Diffusion
import Imagery

/// The `data` section: which images, brought to which size.
public struct DataConfiguration: ConfigurationSection, Equatable {
    /// Folder or file: IDX, CIFAR-10 binary, or PNGs.
    public var path = ""
    public var split = DatasetSpecification.Split.train
    public var fit = DatasetSpecification.Fit.pad
    /// Behind transparent pixels and around padded images: red, green, blue in 0...255.
    public var background = [0, 0, 0]
    /// At most this many images; 0 for all.
    public var limit = 0
    /// Whether half the training images, at random, are mirrored left to right.
    public var flip = false

    public init() {}

    public func validate() throws {
        guard background.count == 3, background.allSatisfy({ (0...255).contains($0) }) else {
            throw ConfigurationError.invalid(
                source: "data", key: "background", got: "\(background)", expected: "three numbers in 0...255")
        }
        guard limit >= 0 else {
            throw ConfigurationError.invalid(source: "data", key: "limit", got: "\(limit)", expected: "at least 0")
        }
    }

    /// The images at the size and with the channels that `model` takes.
    public func open(for model: UNet) throws -> InMemoryDataset {
        guard !path.isEmpty else {
            throw ConfigurationError.invalid(
                source: "data", key: "path", got: "missing", expected: "a folder or file of images")
        }
        guard model.size[0] == model.size[1] else {
            throw ConfigurationError.invalid(
                source: "model", key: "sample_size", got: "\(model.size)", expected: "a square, for training on images")
        }
        let behind = RGBColor(UInt8(background[0]), UInt8(background[1]), UInt8(background[2]))
        return try DatasetReader.open(
            DatasetSpecification(
                path: path, split: split, size: model.size[0], channels: model.configuration.inChannels,
                background: behind, fit: fit, limit: limit == 0 ? nil : limit))
    }
}
