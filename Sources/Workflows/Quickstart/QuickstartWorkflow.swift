import Files
import Foundation
import ModelFolders
import Models
import Runs

/// The result of a quick start.
public struct QuickstartOutcome {
    public let output: URL
    public let pruning: PruningOutcome
    public let evaluation: EvaluationResult
    public let pruningSeconds: Double
    public let evaluationSeconds: Double

    public var report: URL { output.appendingPathComponent("report.html") }
    public var grid: URL { output.appendingPathComponent("grid.png") }
}

/// The main job on the bundled model and data: prune and fine-tune, draw from both models from the same noise, compare,
/// report.
///
/// The output folder gets `report.html`, `metrics.json`, `grid.png`,
/// `images/` and the run folder `run/` with the pruned model in `run/model`.
public struct QuickstartWorkflow {
    private let samples: BundledSamples
    private let configuration: PruningRunConfiguration
    private let evaluation: EvaluationSettings
    private let dense: LoadedPipeline
    private let context: RunContext
    private var output: URL { context.output }

    /// What is done where there is no configuration file: minutes of two cores.
    static let defaults = [
        "method.name=gradient-flow", "pruning.target=macs=0.5", "pruning.granularity=aligned", "pruning.multiple=8",
        "pruning.soft_fraction=0.05", "pruning.calibration_batches=8", "pruning.allocation=layer-adaptive",
        "finetuning.steps=2500", "finetuning.batch_size=16", "finetuning.optimizer.kind=muon",
        "finetuning.learning_rate=1e-3", "finetuning.learning_rate_schedule.shape=cosine",
        "finetuning.loss_weighting=min-snr", "recovery.distillation=1.0", "recovery.prediction_uses=4",
    ]

    /// - Parameters:
    ///   - samples: the bundled data and models.
    ///   - file: of the pruning run; its data path is the bundled data's. nil for `configs/quickstart.yaml` beside the
    ///     samples, or built-in settings where that is not there.
    ///   - model: a model folder in place of the bundled one.
    ///   - overrides: "section.key=value" on the configuration.
    ///   - settings: of the comparison; nil for the defaults.
    ///   - context: the folder to write.
    public init(
        samples: BundledSamples, configuration file: URL? = nil, model: URL? = nil, overrides: [String] = [],
        evaluation settings: EvaluationSettings? = nil, in context: RunContext
    ) throws {
        let usual = samples.url.deletingLastPathComponent().appendingPathComponent("configs/quickstart.yaml")
        let found = file ?? (FileManager.default.fileExists(atPath: usual.path) ? usual : nil)
        self.samples = samples
        self.context = context
        try samples.require([samples.data] + (model == nil ? [samples.denseModel] : []))
        dense = try LoadedPipeline(model ?? samples.denseModel)
        configuration = try PruningRunConfiguration(
            file: found, overrides: (found == nil ? Self.defaults : []) + overrides, data: samples.data.path)
        var evaluation = settings ?? EvaluationSettings()
        // Images that fine-tuning has not seen.
        evaluation.data.path = samples.data.path
        evaluation.data.split = .test
        evaluation.savesImages = true
        // The bundled nets are looked for in the samples named, which need not be where the program would look.
        if evaluation.features == nil {
            evaluation.features = try BundledFeatures(samples, for: dense.pipeline.model).fitting?.url
        }
        self.evaluation = evaluation
    }

    /// `./diffprune-quickstart`, or the first of `-2`, `-3`, … that is not there yet.
    public static func freshFolder(in parent: URL) -> URL {
        let name = "diffprune-quickstart"
        let names = [name] + (2...9999).map { "\(name)-\($0)" }
        let free = names.first { !FileManager.default.fileExists(atPath: parent.appendingPathComponent($0).path) }
        return parent.appendingPathComponent(free ?? name)
    }

    /// - Throws: `RunStopped` where that was asked for while it pruned.
    public func run() throws -> QuickstartOutcome {
        let run = output.appendingPathComponent("run")
        if context.isResuming, !FileManager.default.fileExists(atPath: run.path) {
            throw RequestError.conflict("there is no run in \(output.path)")
        }
        return try OutputClaim.holding(output) {
            try OutputFolder.prepare(output, overwriting: context.isResuming)
            let clock = ContinuousClock()
            let start = clock.now
            var pruningContext = context
            pruningContext.output = run
            pruningContext.places = ["model": dense.folder.url, "data": samples.data]
            pruningContext.following = try EvaluationPart.stretches(
                evaluation, prunedShare: configuration.prunedShare(of: dense.pipeline),
                hasFeatures: evaluation.features != nil,
                hasData: true)
            let pruning = try OutputClaim.holding(run) {
                try PruningWorkflow(configuration, pipeline: dense.pipeline.copied(), in: pruningContext).run()
            }
            if context.interruption.isRequested { throw RunStopped(reached: "the evaluation") }
            let pruned = clock.now
            let result = try EvaluationWorkflow(
                evaluation, dense: dense, pruned: LoadedPipeline(pruning.modelURL), instructions: instructions,
                in: RunContext(
                    output: output, occupied: .overwritten, command: context.command, progress: context.progress)
            ).run()
            return QuickstartOutcome(
                output: output, pruning: pruning, evaluation: result, pruningSeconds: (pruned - start) / .seconds(1),
                evaluationSeconds: (clock.now - pruned) / .seconds(1))
        }
    }

    /// The command, and the commands that do the same one by one.
    private var instructions: String {
        """
        \(context.command.isEmpty ? "diffprune quickstart --output \(output.path)" : context.command)

        # The same, step by step:
        diffprune prune --model \(dense.folder.url.path) --config \(output.path)/run/config.yaml --output run
        diffprune evaluate --dense \(dense.folder.url.path) --pruned run/model \
        --data \(samples.data.path) --split test \\
            --count \(evaluation.count) --seed \(evaluation.seed) --steps \(evaluation.steps) \
        --save-images --output evaluation
        """
    }
}
