import Foundation

/// A model and the folder that it was loaded from, whose files can be measured and named.
public struct LoadedModel<Folder: ModelFamily> {
    public let model: Folder.Model
    public let folder: Folder

    /// - Parameters:
    ///   - url: a model folder, or that of a finished run.
    ///   - variant: which variant of the weights is read, as "fp16"; nil for the ordinary ones, or the only ones.
    /// - Throws: as the family's `load`.
    public init(_ url: URL, variant: String? = nil) throws {
        folder = try Folder(ModelFolder.located(url, with: Folder.configurationPaths)).reading(variant: variant)
        model = try folder.load()
    }
}

/// A denoising model and its folder.
public typealias LoadedPipeline = LoadedModel<PipelineFolder>

extension LoadedModel where Folder == PipelineFolder {
    public var pipeline: Pipeline { model }
}
