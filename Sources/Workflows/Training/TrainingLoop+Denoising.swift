import Diffusion
import Imagery
import Runs
import Training

extension TrainingLoop {
    /// Draws 64 images, always from the same noise, as often as `settings` say.
    init<Model: Denoiser>(
        _ trainer: Trainer<Task>, _ scheduler: SchedulerConfiguration, _ settings: DenoisingTrainingConfiguration,
        totalSteps: Int? = nil, progress: ProgressHandler?
    ) where Task == Denoising<Model> {
        let samples = Samples(every: settings.sampleEvery) { model in
            let steps = min(50, scheduler.trainTimesteps)
            let sampler = ImageSampler(
                model: model, sampler: try SamplerName.ddim.makeSampler(scheduler, steps: steps),
                seed: UInt64(settings.seed), classLabel: model.classConditioning == .none ? nil : 0)
            return try ImageGrid.square(of: sampler.images(0..<64).images())
        }
        self.init(
            trainer, samples: settings.sampleEvery > 0 ? samples : nil, totalSteps: totalSteps, progress: progress)
    }
}
