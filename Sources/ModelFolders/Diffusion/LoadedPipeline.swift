import Foundation

/// A denoising model and the folder that it was loaded from, whose files can be measured and named.
public struct LoadedPipeline {
    public let pipeline: Pipeline
    public let folder: PipelineFolder

    /// - Throws: as `PipelineFolder.load`.
    public init(_ url: URL) throws {
        folder = PipelineFolder(url)
        pipeline = try folder.load()
    }
}
