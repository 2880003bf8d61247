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
struct TrainingLoop<Task: LearningTask> {
    let trainer: Trainer<Task>
    /// Of the whole run, over all its phases.
    private let totalSteps: Int
    private let samples: Samples?
    private let progress: ProgressHandler?
    private let log: TrainingLog

    /// Pictures of what the network has learned, now and then.
    struct Samples {
        /// Steps between them.
        let every: Int
        /// Made with the weights as they would be saved.
        let make: (Task.Network) throws -> Image
    }

    /// - Parameter totalSteps: nil for as many as the trainer's schedule has.
    init(_ trainer: Trainer<Task>, samples: Samples?, totalSteps: Int? = nil, progress: ProgressHandler?) {
        self.trainer = trainer
        self.totalSteps = totalSteps ?? trainer.configuration.steps
        self.samples = samples
        self.progress = progress
        log = TrainingLog(every: trainer.configuration.logEvery)
    }

    /// Trains until `step`; after the last step of all the log gets the line of the interval that ends there.
    ///
    /// - Parameter state: what to store with a checkpoint beside the state of training.
    func run(
        until step: Int, phase: String, in folder: RunFolder, state: () throws -> RunState = { RunState() }
    ) throws {
        let settings = trainer.configuration
        while trainer.step < step {
            let report = try trainer.advance()
            if let entry = log.add(report) { try folder.record(step: report.step, entry) }
            progress?(
                ProgressUpdate(
                    phase: phase, completed: report.step, total: totalSteps,
                    detail: "loss \(NumberText.plain(log.recentLoss, decimals: 5))"))
            if let samples, report.step % samples.every == 0 {
                let image = try trainer.withResultWeights { try samples.make(trainer.network) }
                try folder.writeSamples(image, step: report.step)
            }
            if report.step % settings.checkpointEvery == 0 || report.step == totalSteps {
                try save(in: folder, state: state())
            }
        }
    }

    /// Ends the log of a run whose last step was within an interval. Comes after the last checkpoint: a run that is
    /// resumed with more steps goes on within that interval.
    func finish(in folder: RunFolder) throws {
        if let entry = log.flush() { try folder.record(step: trainer.step, entry) }
    }

    // MARK: checkpoints

    func save(in folder: RunFolder, state: RunState) throws {
        let training = trainer.snapshot()
        var values = state.values.merging(training.members) { $1 }
        values["log"] = log.state
        try folder.save(step: trainer.step, tensors: training.tensors() + state.tensors, state: values)
    }

    func restore(_ checkpoint: Checkpoint) throws {
        try trainer.restore(checkpoint)
        guard log.restore(checkpoint.state["log"], step: checkpoint.step) else {
            throw CheckpointError.damaged(path: checkpoint.url.path, reason: "it holds no state of the log")
        }
    }
}
