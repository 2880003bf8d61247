import Pruning
import PruningMethods
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
    /// - Parameter sampleBytes: of one sample in memory.
    func forecast(sampleBytes: Int) throws -> Forecast {
        let settings = configuration.pruning
        let counted = calibration.map {
            CountedCalibration(
                batchCount: settings.calibrationBatches,
                sampleCount: settings.calibrationBatches * settings.calibrationBatchSize, stageCount: $0.stageCount)
        }
        var (timetable, stretches) = timetable(counting: counted)
        // Only where it stands: the times are those of a trial.
        let reporter = ProgressReporter(
            progress.map { tell in { if !$0.isStatement { tell($0.withoutTimes) } } }, timetable)
        try training?.trySupply(reporter)
        var isDecided = false
        if case .update? = plan.stages.first, plan.updates == 1, stretches.losses.isEmpty {
            _ = try pruner.update(&masks, number: 0, in: context)
            if plan.stages.contains(.compact) { try compact() }
            isDecided = true
        } else if case .update? = plan.stages.first, stretches.losses.isEmpty {
            try tryUpdates(&timetable, reporter)
        } else {
            try tryUpdate(stretches, reporter)
        }
        if let training, training.totalSteps > 0 {
            let kind = network === dense ? Self.stepKind : Self.compactStepKind
            for _ in 0..<TrainingLoop<Task>.trials { try reporter.tried(kind, training.trainer.rehearse) }
        }
        timetable.takeMeasures(of: reporter.timetable)
        return Forecast(
            outlook: timetable.outlook.flatMap { $0.items.isEmpty ? nil : $0 },
            memoryBytes: Forecast.residentBytes
                + Double((training?.checkpointBytes ?? 0) + (training?.supplyBytes ?? 0))
                + untriedCalibrationBytes(sampleBytes: sampleBytes),
            pruning: Forecast.Pruning(
                target: context.selection.budget.description, lowest: context.selection.lowestFractions,
                removal: isDecided ? try record(command: "") : nil))
    }

    /// What the run's calibration batches, and the derivatives read from each, take beyond those of the trial.
    private func untriedCalibrationBytes(sampleBytes: Int) -> Double {
        guard let calibration else { return 0 }
        let settings = configuration.pruning
        let more = Double(settings.calibrationBatches - calibration.batchCount)
        // Clean samples and their noise.
        let batches = more * Double(settings.calibrationBatchSize * sampleBytes * 2)
        let readings = min(more * 4 * Double(space.count), Double(MaskReadings.maximumBytes))
        return batches + Double(readingKinds) * readings
    }

    /// Kinds of derivatives with respect to masks that the method reads batch by batch.
    private var readingKinds: Int {
        let needs = (try? MethodCatalog.entry(named: configuration.method))?.needs ?? []
        if needs.contains(where: { $0 == Curvature.self }) { return 2 }
        return needs.contains { $0 == Gradients.self } ? 1 : 0
    }

    /// Carries out the first of many updates, none of which takes losses.
    private func tryUpdates(_ timetable: inout Timetable, _ reporter: ProgressReporter) throws {
        let kind = "mask update"
        timetable.append(.init(kind, pieces: plan.updates, weight: 1, noun: kind))
        // The first of all warms up.
        for number in 0..<min(2, plan.updates) {
            try interruption.check()
            try reporter.tried(kind) { _ = try pruner.update(&masks, number: number, in: context) }
        }
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
