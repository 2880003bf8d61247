import Diffusion
import Imagery
import Storage

/// Runs a trainer with its log, sample grids and checkpoints.
struct TrainingLoop {
    let trainer: DenoisingTrainer
    let folder: RunFolder
    let settings: TrainingConfiguration
    let scheduler: SchedulerConfiguration
    let phase: String
    let progress: ProgressHandler?
    private var log: TrainingLog

    init(
        trainer: DenoisingTrainer, folder: RunFolder, settings: TrainingConfiguration,
        scheduler: SchedulerConfiguration,
        phase: String, progress: ProgressHandler?
    ) {
        self.trainer = trainer
        self.folder = folder
        self.settings = settings
        self.scheduler = scheduler
        self.phase = phase
        self.progress = progress
        log = TrainingLog(every: settings.logEvery, steps: settings.steps)
    }

    /// Trains until `step`.
    ///
    /// - Parameter state: what to store with a checkpoint beside the trainer's own state.
    mutating func run(until step: Int, state: () throws -> [String: JSONValue] = { [:] }) throws {
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
                try trainer.save(to: folder.checkpoints, extra: state())
            }
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
