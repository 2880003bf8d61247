import Foundation
import ModelFolders
import Runs

/// What a pruning run came to.
public struct PruningOutcome {
    public let modelURL: URL
    public let record: PruningRecord
}

/// Prunes a model: mask updates with fine-tuning between them, compaction, and the rest of the fine-tuning.
///
///     update 0 ─ steps ─ update 1 ─ steps ─ … ─ last update ─ compact ─ steps ─ model
///
/// `soft_fraction` of the steps lie before the last update (none for a one-shot method).
public struct PruningWorkflow {
    private let configuration: PruningRunConfiguration
    private let source: URL
    private let output: URL
    private let resuming: Bool
    private let progress: ProgressHandler?
    private let warning: WarningHandler?

    /// - Parameter resuming: goes on with the run in `output` where there is one.
    public init(
        _ configuration: PruningRunConfiguration, model source: URL, output: URL, resuming: Bool,
        progress: ProgressHandler? = nil, warning: WarningHandler? = nil
    ) {
        self.configuration = configuration
        self.source = source
        self.output = output
        self.resuming = resuming
        self.progress = progress
        self.warning = warning
    }

    public func run() throws -> PruningOutcome {
        let pipeline = try PipelineFolder(source).load()
        let data = try configuration.data.path.isEmpty ? nil : configuration.data.open(for: pipeline.model)
        let run = try PruningRun(configuration, pipeline: pipeline, source: source, data: data, progress: progress)
        let identity = try RunIdentity(
            command: "prune", configuration: configuration.tree, models: ["model": pipeline.digests()], data: data)
        let folder = try RunFolder(output, identity: identity, growth: run.growth, resuming: resuming)
        if resuming { try folder.goOn(warning: warning, restore: run.restore) }
        try run.advance(in: folder)

        let record = try run.record()
        var result = Pipeline(model: run.model, scheduler: pipeline.scheduler, pruning: record)
        result.warnings = pipeline.warnings
        try run.withResultWeights { try PipelineFolder(folder.modelURL).save(result) }
        return PruningOutcome(modelURL: folder.modelURL, record: record)
    }
}
