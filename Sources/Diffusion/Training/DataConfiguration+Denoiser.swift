import Datasets
import Files
import Imagery

extension DataConfiguration {
    /// The images at the size and with the channels that `model` takes.
    /// - Throws: `SettingError` for a model that cannot learn from images, or from these; `DatasetError`.
    public func open(for model: some Denoiser) throws -> InMemoryDataset {
        try requirePath(expected: "a folder or file of images")
        let shape = model.imageShape
        guard shape[0] == shape[1] else {
            throw SettingError(
                key: "model.sample_size", got: "\(shape[..<2])", expected: "a square, to bring images of data sets to")
        }
        try Self.checkPrediction(of: model)
        let dataset = try open(size: shape[0], channels: shape[2])
        try checkClasses(of: dataset, for: model.classConditioning)
        return dataset
    }

    /// A loss needs a prediction for every channel of the image; a second half may hold variances.
    package static func checkPrediction(of model: some Denoiser) throws {
        let (given, wanted) = (model.outputChannels, model.imageShape[2])
        guard given == wanted || given == 2 * wanted else {
            throw SettingError(
                key: "model.out_channels", got: "\(given)",
                expected: "in_channels, \(wanted), or twice that, to have a denoising loss")
        }
    }

    private func checkClasses(of dataset: InMemoryDataset, for conditioning: ClassConditioning) throws {
        switch conditioning {
        case .vectors:
            throw SettingError(
                key: "model.class_embed_type", got: "identity",
                expected: "null or timestep: the images' classes are numbers, not vectors")
        case .numbers(let room?):
            guard let classes = dataset.labelCount, classes > room else { return }
            throw SettingError(
                key: "model.num_class_embeds", got: "\(room)",
                expected: "at least the \(classes) classes of \(path)")
        case .numbers(nil), .none: return
        }
    }
}
