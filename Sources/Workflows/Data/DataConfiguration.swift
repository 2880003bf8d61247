import Configuration
import Imagery
import Models

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
                source: "data", key: "background",
                got: background.count > 8 ? "\(background.count) numbers" : "\(background)",
                expected: "three numbers in 0...255")
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
        try Self.checkPrediction(of: model)
        let behind = RGBColor(UInt8(background[0]), UInt8(background[1]), UInt8(background[2]))
        let dataset = try DatasetReader.open(
            DatasetSpecification(
                path: path, split: split, size: model.size[0], channels: model.configuration.inChannels,
                background: behind, fit: fit, limit: limit == 0 ? nil : limit))
        try checkClasses(of: dataset, for: model.configuration)
        return dataset
    }

    /// A loss needs a prediction for every channel of the image; a second half may hold variances.
    static func checkPrediction(of model: UNet) throws {
        let (given, wanted) = (model.configuration.outChannels, model.configuration.inChannels)
        guard given == wanted || given == 2 * wanted else {
            throw ConfigurationError.invalid(
                source: "model", key: "out_channels", got: "\(given)",
                expected: "in_channels, \(wanted), or twice that, to have a denoising loss")
        }
    }

    private func checkClasses(of dataset: InMemoryDataset, for configuration: UNetConfiguration) throws {
        if configuration.classEmbedType == .identity {
            throw ConfigurationError.invalid(
                source: "model", key: "class_embed_type", got: "identity",
                expected: "null or timestep: the images' classes are numbers, not vectors")
        }
        guard configuration.classEmbedType == nil, let room = configuration.numClassEmbeds,
            let classes = dataset.labelCount, classes > room
        else { return }
        throw ConfigurationError.invalid(
            source: "model", key: "num_class_embeds", got: "\(room)",
            expected: "at least the \(classes) classes of \(path)")
    }
}
