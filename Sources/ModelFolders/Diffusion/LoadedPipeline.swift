import Foundation

/// A denoising model and the folder that it was loaded from, whose files can be measured and named.
public struct LoadedPipeline {
    public let pipeline: Pipeline
    public let folder: PipelineFolder

    /// - Parameter variant: as in `PipelineFolder`.
    /// - Throws: as `PipelineFolder.load`.
    public init(_ url: URL, variant: String? = nil) throws {
        folder = try PipelineFolder(ModelFolder.located(url, with: PipelineFolder.configurationPaths), variant: variant)
        pipeline = try folder.load()
    }
}
