import Diffusion
import Imagery
import Runs
import Training

extension TrainingLoop {
    /// Draws 64 images, always from the same noise and of all classes in turn, as often as `settings` say.
    convenience init<Model: Denoiser>(
        _ trainer: Trainer<Task>, _ scheduler: SchedulerConfiguration, _ settings: DenoisingTrainingConfiguration,
        totalSteps: Int? = nil, in context: RunContext
    ) where Task == Denoising<Model> {
        let (count, batchSize, steps) = (64, 16, min(50, scheduler.trainTimesteps))
        let samples = Samples(
            every: settings.sampleEvery, count: count, batchSize: batchSize, pieces: count / batchSize * steps
        ) { model, progress in
            let classes = ImageClasses(everyOf: model.classConditioning)
            let sampler = ImageSampler(
                model: model, sampler: try SamplerName.ddim.makeSampler(scheduler, steps: steps),
                seed: UInt64(settings.seed), classes: classes, batchSize: batchSize)
            return try withoutActuallyEscaping(progress) { progress in
                try ClassGrid.layOut(sampler.images(0..<count, progress: progress).images(), classes: classes)
            }
        }
        self.init(trainer, samples: settings.sampleEvery > 0 ? samples : nil, totalSteps: totalSteps, in: context)
    }
}
