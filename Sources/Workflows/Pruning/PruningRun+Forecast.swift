import Pruning
import Runs
import TensorCore

/// A source of losses of which there are so many, and that has none: what a run of this size takes can be counted by
/// it.
private final class CountedCalibration: PerSampleCalibration, StagedCalibration {
    let batchCount: Int
    let sampleCount: Int
    let stageCount: Int

    init(batchCount: Int, sampleCount: Int, stageCount: Int) {
        (self.batchCount, self.sampleCount, self.stageCount) = (batchCount, sampleCount, stageCount)
    }

    func loss(batch: Int) throws -> Variable { throw LossWatch.Enough() }
    func loss(sample: Int) throws -> Variable { throw LossWatch.Enough() }
    func loss(stage: Int) throws -> Variable { throw LossWatch.Enough() }
}

extension PruningRun {
    /// Calibration batches of a run that is only tried out.
    static var trialBatches: Int { 3 }

    /// What the run would take and do. Afterwards it is good for nothing else.
    ///
    /// - Parameter imageBytes: of the images in memory.
    func forecast(imageBytes: Int) throws -> Forecast {
        let settings = configuration.pruning
        let counted = calibration.map {
            CountedCalibration(
                batchCount: settings.calibrationBatches,
                sampleCount: settings.calibrationBatches * settings.calibrationBatchSize, stageCount: $0.stageCount)
        }
        let (timetable, stretches) = timetable(counting: counted)
        let reporter = ProgressReporter(progress, timetable)
        BufferPool.shared.resetPeak()
        var removal: Bool = false
        if case .update? = plan.stages.first, plan.updates == 1, stretches.losses.isEmpty {
            _ = try pruner.update(&masks, number: 0, in: context)
            if plan.stages.contains(.compact) { try compact() }
            removal = true
        } else {
            try tryUpdate(stretches, reporter)
        }
        if let training, training.totalSteps > 0 {
            let kind = network === dense ? Self.stepKind : Self.compactStepKind
            for _ in 0..<TrainingLoop<Task>.trials { try reporter.tried(kind, training.trainer.rehearse) }
        }
        let memory =
            training?.memoryBytes(imageBytes: imageBytes) ?? Double(BufferPool.shared.peakBytesInUse + imageBytes)
        return Forecast(
            outlook: reporter.timetable.outlook.flatMap { $0.items.isEmpty ? nil : $0 }, memoryBytes: memory,
            pruning: Forecast.Pruning(
                target: context.selection.budget.description, lowest: context.selection.lowestFractions,
                removal: removal ? try record() : nil))
    }

    /// Takes the first losses of the first update that takes any.
    private func tryUpdate(_ stretches: PlanStretches, _ reporter: ProgressReporter) throws {
        guard let calibration, let stage = stretches.losses.keys.min(), case .update(let number) = plan.stages[stage],
            var update = stretches.losses[stage]
        else { return }
        // Of the trial's own batches: those of the run are more.
        update.passLength = calibration.batchCount
        do {
            _ = try watching(
                update, reporter, phase: "trying out", place: "", limit: 3 * calibration.batchCount
            ) {
                try pruner.update(&masks, number: number, in: context)
            }
        } catch is LossWatch.Enough {}
    }
}
