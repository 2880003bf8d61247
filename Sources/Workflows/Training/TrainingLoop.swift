import Diffusion
import Files
import Imagery
import Runs
import WeightFiles

/// What a run stores with a checkpoint beside the state of training.
struct RunState {
    var tensors: [NamedTensor] = []
    var values: [String: JSONValue] = [:]
}

/// Runs a trainer with its log, sample grids and checkpoints, in one phase or several.
struct TrainingLoop {
    let trainer: DenoisingTrainer
    private let settings: TrainingConfiguration
    private let scheduler: SchedulerConfiguration
    private let progress: ProgressHandler?
    private let log: TrainingLog

    init(
        trainer: DenoisingTrainer, settings: TrainingConfiguration, scheduler: SchedulerConfiguration,
        progress: ProgressHandler?
    ) {
        self.trainer = trainer
        self.settings = settings
        self.scheduler = scheduler
        self.progress = progress
        log = TrainingLog(every: settings.logEvery)
    }

    /// Trains until `step`; after the last step of all the log gets the line of the interval that ends there.
    ///
    /// - Parameter state: what to store with a checkpoint beside the state of training.
    func run(
        until step: Int, phase: String, in folder: RunFolder, state: () throws -> RunState = { RunState() }
    ) throws {
        while trainer.step < step {
            let report = try trainer.advance()
            if let entry = log.add(report) { try folder.record(step: report.step, entry) }
            progress?(
                ProgressUpdate(
                    phase: phase, completed: report.step, total: settings.steps,
                    detail: "loss \(log.recentLoss.formatted(digits: 5))"))
            if settings.sampleEvery > 0, report.step % settings.sampleEvery == 0 {
                try folder.writeSamples(try samples(), step: report.step)
            }
            if report.step % settings.checkpointEvery == 0 || report.step == settings.steps {
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
        var values = state.values
        values["log"] = log.state
        try folder.save(
            step: trainer.step, tensors: trainer.stateTensors + state.tensors, state: trainer.addCounts(to: values))
    }

    func restore(_ checkpoint: Checkpoint) throws {
        try trainer.restore(checkpoint)
        guard log.restore(checkpoint.state["log"], step: checkpoint.step) else {
            throw CheckpointError.damaged(path: checkpoint.url.path, reason: "it holds no state of the log")
        }
    }

    /// 64 images with the weights as they would be saved, always from the same noise.
    private func samples() throws -> Image {
        try trainer.withResultWeights {
            let steps = min(50, scheduler.trainTimesteps)
            let sampler = ImageSampler(
                model: trainer.model, sampler: try SamplerName.ddim.makeSampler(scheduler, steps: steps),
                seed: UInt64(settings.seed), classLabel: trainer.model.configuration.isClassConditional ? 0 : nil)
            return try sampleGrid(try sampler.images(0..<64).images())
        }
    }
}
