import ModelFolders
import Models
import Runs
import Timing

/// How long drawing takes, by a few steps.
enum SamplingForecast {
    /// Seconds in which `pipeline` draws all pictures of a comparison.
    static func seconds(_ settings: EvaluationSettings, of pipeline: Pipeline) throws -> Double {
        let batch = min(settings.count, settings.batchSize)
        let classes = try ClassChoice.resolved(settings.classes, for: pipeline.model.classConditioning)
        let step = try SamplingStep(
            model: pipeline.model, sampler: settings.makeSampler(pipeline.scheduler), batch: batch, classes: classes)
        try step()
        let start = ProgressReporter.seconds()
        try step()
        let batches = Double(settings.count) / Double(batch)
        return (ProgressReporter.seconds() - start) * batches * Double(settings.steps)
    }
}
