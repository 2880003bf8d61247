import Configuration
import Diffusion
import Foundation
import Imagery
import ModelFolders
import Models
import Pruning
import PruningMethods
import Runs
import Training

/// A pruning run put together: the network with its masks and its method, and what trains it. `advance` carries out the
/// method's plan.
final class PruningRun {
    let configuration: PruningRunConfiguration
    let dense: UNet
    let space: PruningSpace
    let context: PruningContext
    let plan: PruningPlan
    /// nil when there is neither data nor need of any.
    let training: TrainingLoop?
    let progress: ProgressHandler?
    var pruner: any Pruner
    var masks: Masks
    /// How far the plan has been carried out.
    var position = Position()
    /// What is left so far.
    var model: UNet

    /// A place in a plan.
    struct Position: Equatable {
        /// Stages done.
        var stage = 0
        /// The trainer's step at which the stage that is under way began.
        var stageStart = 0
    }

    init(
        _ configuration: PruningRunConfiguration, pipeline: Pipeline, source: URL, data: InMemoryDataset?,
        progress: ProgressHandler?
    ) throws {
        self.configuration = configuration
        self.progress = progress
        let settings = configuration.pruning
        let entry = try MethodCatalog.entry(named: configuration.method)
        let granularity = try settings.unit()
        dense = pipeline.model
        model = dense
        space = PruningSpace.of(granularity.space, in: dense)
        masks = Masks(space)
        pruner = try entry.make(configuration.methodSettings, UInt64(settings.seed))
        let selection = try Selection(
            space: space, network: dense, budget: settings.budget(), granularity: granularity,
            minimumFraction: settings.minimumFraction, allocation: settings.allocation,
            comparesRows: entry.card.comparesRows)
        let finetuning = configuration.finetuning
        plan = pruner.plan(
            PlanTiming(steps: finetuning.steps, softFraction: settings.softFraction, space: granularity.space))

        guard let data else {
            guard entry.needs.isEmpty, finetuning.steps == 0 else {
                throw ConfigurationError.invalid(
                    source: "data", key: "path", got: "missing",
                    expected: "images: '\(configuration.method)' with \(finetuning.steps) fine-tuning steps needs some")
            }
            training = nil
            let arena = ParameterArena(dense.parameters)
            context = PruningContext(
                space: space,
                evidence: EvidenceSource(network: dense, arena: arena, calibration: nil, declared: entry.needs),
                selection: selection)
            return
        }
        let objective = try DenoisingObjective(pipeline.scheduler, weighting: finetuning.lossWeighting)
        if finetuning.steps > 0 { try objective.check(dense) }
        let batches = try BatchSource(
            dataset: data, batchSize: finetuning.batchSize, seed: UInt64(finetuning.seed),
            flip: configuration.data.flip, timestepSampling: finetuning.timestepSampling,
            timestepCount: pipeline.scheduler.trainTimesteps, isConditional: dense.configuration.isClassConditional)
        let teacher = finetuning.distillation > 0 ? try PipelineFolder(source).load().model : nil
        let trainer = DenoisingTrainer(
            model: dense, objective: objective, batches: batches, configuration: finetuning, teacher: teacher)
        training = TrainingLoop(
            trainer: trainer, settings: finetuning, scheduler: pipeline.scheduler, progress: progress)
        let calibration = try DenoisingCalibration(
            model: dense, objective: objective, batches: batches, count: settings.calibrationBatches,
            batchSize: settings.calibrationBatchSize)
        context = PruningContext(
            space: space,
            evidence: EvidenceSource(
                network: dense, arena: trainer.arena, calibration: calibration, declared: entry.needs),
            selection: selection)
    }

    /// Whether the run may be made longer: where more steps would only prolong its last stage.
    var growth: RunIdentity.Growth {
        let steps = configuration.finetuning.growth(section: "finetuning")
        let longer = pruner.plan(
            PlanTiming(
                steps: configuration.finetuning.steps + 1, softFraction: configuration.pruning.softFraction,
                space: space.kind))
        guard case .train? = plan.stages.last, longer.stages.dropLast() == plan.stages.dropLast() else {
            return .refused(key: steps.key, reason: "it cannot grow, since the method's plan depends on it")
        }
        return steps
    }

    func withResultWeights<Result>(_ body: () throws -> Result) rethrows -> Result {
        guard let training, configuration.finetuning.steps > 0 else { return try body() }
        return try training.trainer.withResultWeights(body)
    }
}
