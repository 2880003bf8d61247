import Foundation
import ModelFolders
import Models
import TensorCore
import Timing

/// What two models cost: counted where it can be, else measured in one interleaved run.
struct EfficiencyMeasurement {
    let settings: EvaluationSettings
    let models: ComparedModels

    func run(dense denseFolder: PipelineFolder, pruned prunedFolder: PipelineFolder) throws
        -> EvaluationResult.Efficiency
    {
        let (dense, pruned) = (models.dense.model, models.pruned.model)
        let single = (try step(models.dense, batch: 1), try step(models.pruned, batch: 1))
        let batch = (
            try step(models.dense, batch: settings.timedBatch), try step(models.pruned, batch: settings.timedBatch)
        )
        return EvaluationResult.Efficiency(
            parameters: .init(dense: Double(dense.parameterCount), pruned: Double(pruned.parameterCount)),
            macs: .init(dense: dense.macs, pruned: pruned.macs),
            fileBytes: .init(
                dense: Double(try denseFolder.weightBytes()),
                pruned: Double(try prunedFolder.weightBytes())),
            peakBytes: .init(dense: Double(try batch.0.peakBytes()), pruned: Double(try batch.1.peakBytes())),
            batch: settings.timedBatch,
            batchTiming: try InterleavedTiming.measure({ try batch.0() }, { try batch.1() }),
            singleTiming: try InterleavedTiming.measure({ try single.0() }, { try single.1() }),
            threads: Engine.threads, instructionSet: Engine.instructionSet, processor: Machine.current.processor)
    }

    private func step(_ pipeline: Pipeline, batch: Int) throws -> SamplingStep<UNet> {
        try SamplingStep(
            model: pipeline.model, sampler: settings.makeSampler(pipeline.scheduler),
            batch: batch, classes: models.classes)
    }
}
