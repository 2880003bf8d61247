import Diffusion
import Foundation
import Layers
import Pruning
import PruningMethods
import Storage

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

    public init(
        _ configuration: PruningRunConfiguration, model source: URL, output: URL, resuming: Bool,
        progress: ProgressHandler? = nil
    ) {
        self.configuration = configuration
        self.source = source
        self.output = output
        self.resuming = resuming
        self.progress = progress
    }

    public func run() throws -> PruningOutcome {
        let pipeline = try PipelineFolder(source).load()
        let run = try PruningRun(configuration, pipeline: pipeline, source: source)
        let folder = try RunFolder(output, configuration: configuration.yaml, resuming: resuming)
        if resuming {
            let checkpoint = try folder.checkpoints.latest().checkpoint
            try checkpoint.map(run.restore)
            // Without a checkpoint all that a killed run logged is done over.
            try folder.rewind(to: checkpoint?.step ?? -1)
        }
        try run.advance(in: folder, progress: progress)

        let record = try run.record()
        var result = Pipeline(model: run.model, scheduler: pipeline.scheduler, pruning: record)
        result.warnings = pipeline.warnings
        try run.withResultWeights { try PipelineFolder(folder.modelURL).save(result) }
        return PruningOutcome(modelURL: folder.modelURL, record: record)
    }
}
