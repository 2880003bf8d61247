import Files
import Imagery
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
    private let samples: Samples?
    private let interruption: Interruption
    private let progress: ProgressHandler?
    private let log: TrainingLog
    private var pace: CheckpointPace
    /// Whether the pictures of the present step are still to be made.
    private var samplesAreDue = false
    /// The step of the newest checkpoint.
    private var savedStep = 0

    /// Pictures of what the network has learned, now and then.
    struct Samples {
        /// Steps between them.
        let every: Int
        /// Made with the weights as they would be saved; told of how much is done, of how much, and stopped by what that
        /// throws.
        let make: (_ network: Task.Network, _ progress: (Int, Int) throws -> Void) throws -> Image
    }

    /// - Parameter totalSteps: nil for as many as the trainer's schedule has.
    init(_ trainer: Trainer<Task>, samples: Samples?, totalSteps: Int? = nil, in context: RunContext) {
        self.trainer = trainer
        self.totalSteps = totalSteps ?? trainer.configuration.steps
        self.samples = samples
        interruption = context.interruption
        progress = context.progress
        log = TrainingLog(every: trainer.configuration.logEvery)
        pace = CheckpointPace(minutes: trainer.configuration.checkpointMinutes)
    }

    /// Trains until `step`; after the last step of all the log gets the line of the interval that ends there.
    ///
    /// - Parameter state: what to store with a checkpoint beside the state of training.
    /// - Throws: `RunStopped` after a step, with a checkpoint of it, where that was asked for.
    func run(
        until step: Int, phase: String, in folder: RunFolder, state: () throws -> RunState = { RunState() }
    ) throws {
        let settings = trainer.configuration
        try drawWhatIsDue(in: folder, state: state)
        while trainer.step < step {
            let report = try trainer.advance()
            if let entry = log.add(report) { try folder.record(step: report.step, entry) }
            progress?(
                ProgressUpdate(
                    phase: phase, completed: report.step, total: totalSteps,
                    detail: "loss \(log.recentLoss.formatted(digits: 5))"))
            samplesAreDue = samples.map { report.step % $0.every == 0 } ?? false
            try drawWhatIsDue(in: folder, state: state)
            if report.step % settings.checkpointEvery == 0 || report.step == totalSteps || pace.isDue {
                try save(in: folder, state: state())
            }
            // After the last step there is nothing worth stopping for.
            if interruption.isRequested, report.step < totalSteps { throw try stopped(in: folder, state: state) }
        }
    }

    /// Ends the log of a run whose last step was within an interval. Comes after the last checkpoint: a run that is
    /// resumed with more steps goes on within that interval.
    func finish(in folder: RunFolder) throws {
        if let entry = log.flush() { try folder.record(step: trainer.step, entry) }
    }

    /// Makes the sample grid of the present step where it has one that was not made yet.
    private func drawWhatIsDue(in folder: RunFolder, state: () throws -> RunState) throws {
        guard samplesAreDue, let samples else { return }
        do {
            let image = try trainer.withResultWeights {
                try samples.make(trainer.network) { done, total in
                    try interruption.check()
                    progress?(ProgressUpdate(phase: "drawing samples", completed: done, total: total))
                }
            }
            try folder.writeSamples(image, step: trainer.step)
            samplesAreDue = false
        } catch is Interruption.Requested {
            throw try stopped(in: folder, state: state)
        }
    }

    // MARK: checkpoints

    /// Whether steps were made since the newest checkpoint.
    var hasUnsavedSteps: Bool { trainer.step > savedStep }

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
