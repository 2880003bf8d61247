import Files
import Imagery
import Reports
import Runs
import Training
import WeightFiles

/// What a run stores with a checkpoint beside the state of training.
struct RunState {
    var tensors: [NamedTensor] = []
    var values: [String: JSONValue] = [:]
}

/// Runs a trainer with its log, sample grids and checkpoints, in one phase or several.
final class TrainingLoop<Task: LearningTask> {
    let trainer: Trainer<Task>
    /// Of the whole run, over all its phases.
    let totalSteps: Int
    private let inspection: Inspection<Task.Network>?
    let interruption: Interruption
    private let log: TrainingLog
    private var pace: CheckpointPace
    /// Whether what is to be shown of the present step is still to be made.
    private var samplesAreDue = false
    /// The step of the newest checkpoint.
    private var savedStep = 0
    /// What is shown of the loss: that of the last few steps, whatever the log's intervals are.
    private var recentLoss: Double?

    /// - Parameters:
    ///   - trainer: what is run.
    ///   - inspection: what is shown of the network on the way; nil for nothing.
    ///   - totalSteps: nil for as many as the trainer's schedule has.
    ///   - context: who may stop it.
    init(
        _ trainer: Trainer<Task>, inspection: Inspection<Task.Network>?, totalSteps: Int? = nil, in context: RunContext
    ) {
        self.trainer = trainer
        self.totalSteps = totalSteps ?? trainer.configuration.steps
        self.inspection = inspection
        interruption = context.interruption
        log = TrainingLog(every: trainer.configuration.logEvery)
        pace = CheckpointPace(minutes: trainer.configuration.checkpointMinutes)
    }

    /// Whom training tells of its progress, and by which stretches of the timetable.
    struct Report {
        let reporter: ProgressReporter
        let phase: String
        let steps: Int
        /// Of all sample grids; nil for none.
        let grids: Int?
        /// Of what batches are made of; nil where nothing is to be made.
        let supply: Int?
    }

    /// Trains until `step`; after the last step of all the log gets the line of the interval that ends there.
    ///
    /// - Parameter state: what to store with a checkpoint beside the state of training.
    /// - Throws: `RunStopped` after a step, with a checkpoint of it, where that was asked for.
    func run(
        until step: Int, in folder: RunFolder, _ news: Report, state: () throws -> RunState = { RunState() }
    ) throws {
        let settings = trainer.configuration
        try drawWhatIsDue(in: folder, news, state: state)
        if trainer.step < step { news.reporter.at(position(trainer.step + 1, news)) }
        while trainer.step < step {
            do {
                try makeSupply(for: trainer.step..<trainer.step + 1, news.reporter, news.supply)
            } catch is Interruption.Requested {
                throw try stopped(in: folder, state: state)
            }
            let report = try trainer.advance()
            if let entry = log.add(report) { try folder.record(step: report.step, entry) }
            recentLoss = recentLoss.map { 0.8 * $0 + 0.2 * report.loss } ?? report.loss
            news.reporter.finished(news.steps, position(report.step, news))
            samplesAreDue = inspection.map { report.step % $0.every == 0 } ?? false
            try drawWhatIsDue(in: folder, news, state: state)
            if report.step % settings.checkpointEvery == 0 || report.step == totalSteps || pace.isDue {
                try save(in: folder, state: state())
            }
            // After the last step there is nothing worth stopping for.
            if interruption.isRequested, report.step < totalSteps { throw try stopped(in: folder, state: state) }
        }
    }

    /// Trains to the end, as all that a run does.
    ///
    /// - Parameter handler: told of the progress.
    func run(phase: String, in folder: RunFolder, _ handler: ProgressHandler?) throws {
        var timetable = Timetable()
        let work = appendWork(to: &timetable)
        let reporter = ProgressReporter(handler, timetable)
        try run(
            until: totalSteps, in: folder,
            Report(reporter: reporter, phase: phase, steps: work.steps, grids: work.grids, supply: work.supply))
    }

    /// Puts what is left of training into a timetable.
    ///
    /// - Returns: the numbers of its stretches.
    func appendWork(to timetable: inout Timetable) -> (steps: Int, grids: Int?, supply: Int?) {
        let settings = trainer.configuration
        let supply = supplyStretch(calibrates: false).map { timetable.append($0) }
        let step = Double(settings.batchSize) * (3 + (trainer.teacher != nil ? 1 : 0))
        let steps = timetable.append(.init("step", pieces: totalSteps - trainer.step, weight: step, noun: "step"))
        return (steps, gridStretch(weight: 1).map { timetable.append($0) }, supply)
    }

    /// Ends the log of a run whose last step was within an interval. Comes after the last checkpoint: a run that is
    /// resumed with more steps goes on within that interval.
    func finish(in folder: RunFolder) throws {
        if let entry = log.flush() { try folder.record(step: trainer.step, entry) }
    }

    private func position(_ step: Int, _ news: Report) -> ProgressUpdate {
        ProgressUpdate(
            phase: news.phase, unit: "step", completed: step, total: totalSteps,
            detail: recentLoss.map { "loss \($0.significant())" } ?? "")
    }

    /// What is still to be shown on the way, for a timetable; nil for none.
    ///
    /// - Parameter weight: what a prediction for one image takes.
    func gridStretch(weight: Double) -> Timetable.Stretch? {
        guard let inspection else { return nil }
        let grids = totalSteps / inspection.every - trainer.step / inspection.every + (samplesAreDue ? 1 : 0)
        return .init(
            "grid", pieces: grids * inspection.pieces, weight: weight * Double(inspection.batchSize),
            noun: inspection.noun, count: grids)
    }

    /// Makes what is to be shown of the present step where that was not made yet.
    private func drawWhatIsDue(in folder: RunFolder, _ news: Report, state: () throws -> RunState) throws {
        guard samplesAreDue, let inspection else { return }
        do {
            let result = try trainer.withResultWeights {
                try inspection.make(trainer.network) { done, total in
                    try interruption.check()
                    let update = ProgressUpdate(
                        phase: inspection.phase, unit: inspection.unit,
                        completed: max(1, done * inspection.count / total), total: inspection.count,
                        place: "step \(trainer.step) of \(totalSteps)")
                    if let grids = news.grids { news.reporter.finished(grids, update) }
                }
            }
            switch result {
            case .picture(let image): try folder.writeSamples(image, step: trainer.step)
            case .numbers(let numbers): try folder.record(step: trainer.step, numbers)
            }
            samplesAreDue = false
        } catch is Interruption.Requested {
            throw try stopped(in: folder, state: state)
        }
    }

    // MARK: checkpoints

    /// Whether steps were made since the newest checkpoint.
    var hasUnsavedSteps: Bool { trainer.step > savedStep }

    /// Whether one is due by the time since the last.
    var isCheckpointDue: Bool { pace.isDue }

    func save(in folder: RunFolder, state: RunState) throws {
        try pace.timed {
            let training = trainer.snapshot()
            var values = state.values.merging(training.members) { $1 }
            values["log"] = log.state
            if samplesAreDue { values["samples_are_due"] = true }
            try folder.save(step: trainer.step, tensors: training.tensors() + state.tensors, state: values)
        }
        savedStep = trainer.step
    }

    func restore(_ checkpoint: Checkpoint) throws {
        try trainer.restore(checkpoint)
        guard log.restore(checkpoint.state["log"], step: checkpoint.step) else {
            throw CheckpointError.damaged(path: checkpoint.url.path, reason: "it holds no state of the log")
        }
        samplesAreDue = checkpoint.state["samples_are_due"] == true
        savedStep = checkpoint.step
    }

    /// Saves what no checkpoint holds yet.
    ///
    /// - Returns: what ends the run where it is.
    private func stopped(in folder: RunFolder, state: () throws -> RunState) throws -> RunStopped {
        if hasUnsavedSteps { try save(in: folder, state: state()) }
        return RunStopped(reached: reached)
    }

    /// "step 29 of 1000"
    var reached: String { "step \(trainer.step) of \(totalSteps)" }
}
