import Diffusion
import Imagery
import Runs
import Training

extension TrainingLoop {
    /// Draws 64 images, always from the same noise and of all classes in turn, as often as `settings` say.
    init<Model: Denoiser>(
        _ trainer: Trainer<Task>, _ scheduler: SchedulerConfiguration, _ settings: DenoisingTrainingConfiguration,
        totalSteps: Int? = nil, progress: ProgressHandler?
    ) where Task == Denoising<Model> {
        let samples = Samples(every: settings.sampleEvery) { model in
            let classes = ImageClasses(everyOf: model.classConditioning)
            let steps = min(50, scheduler.trainTimesteps)
            let sampler = ImageSampler(
                model: model, sampler: try SamplerName.ddim.makeSampler(scheduler, steps: steps),
                seed: UInt64(settings.seed), classes: classes)
            return try ClassGrid.layOut(try sampler.images(0..<64).images(), classes: classes)
        }
        self.init(
            trainer, samples: settings.sampleEvery > 0 ? samples : nil, totalSteps: totalSteps, progress: progress)
    }
}
