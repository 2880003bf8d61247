import Foundation

/// A denoising model and the folder that it was loaded from, whose files can be measured and named.
public struct LoadedPipeline {
    public let pipeline: Pipeline
    public let folder: PipelineFolder

    /// - Parameters:
    ///   - url: a model folder, or that of a finished run.
    ///   - variant: which variant of the weights is read, as "fp16"; nil for the ordinary ones, or the only ones.
    /// - Throws: as `PipelineFolder.load`.
    public init(_ url: URL, variant: String? = nil) throws {
        folder = try PipelineFolder(ModelFolder.located(url, with: PipelineFolder.configurationPaths))
            .reading(variant: variant)
        pipeline = try folder.load()
    }
}
