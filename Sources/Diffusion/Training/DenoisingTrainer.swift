import Imagery
import Training

public typealias DenoisingTrainer<Model: Denoiser> = Trainer<Denoising<Model>>

extension Trainer {
    /// Trains `model` on images as `settings` say.
    ///
    /// - Parameters:
    ///   - model: what is trained, in place.
    ///   - scheduler: the noise schedule, and what is predicted.
    ///   - images: the data set.
    ///   - flip: whether half the images, at random, are mirrored left to right.
    ///   - settings: of training and of this task.
    ///   - teaching: what of the teacher is imitated.
    ///   - teacher: what is imitated.
    ///   - extensions: what is added to every step.
    /// - Throws: `ConfigurationError` for images that the model cannot learn from, `SettingError` for a teacher whose
    ///   features it cannot imitate, `SchedulerError`, `TrainingError`.
    public convenience init<Model: Denoiser>(
        denoising model: Model, _ scheduler: SchedulerConfiguration, images: InMemoryDataset, flip: Bool,
        settings: DenoisingTrainingConfiguration, teaching: TeachingConfiguration = TeachingConfiguration(),
        teacher: Model? = nil, extensions: [any TrainingExtension] = []
    ) throws where Task == Denoising<Model> {
        try self.init(
            denoising: model, scheduler, batches: DenoisingBatches(images, flip: flip, for: model, scheduler, settings),
            settings: settings, teaching: teaching, teacher: teacher, extensions: extensions)
    }

    /// The same on any batches.
    ///
    /// - Parameters:
    ///   - model: what is trained, in place.
    ///   - scheduler: the noise schedule, and what is predicted.
    ///   - batches: what it learns from.
    ///   - settings: of training and of this task.
    ///   - teaching: what of the teacher is imitated.
    ///   - teacher: what is imitated.
    ///   - extensions: what is added to every step.
    /// - Throws: `SettingError` for a teacher whose features it cannot imitate, `SchedulerError`, `TrainingError`.
    public convenience init<Model: Denoiser>(
        denoising model: Model, _ scheduler: SchedulerConfiguration, batches: any BatchSource<DenoisingBatch>,
        settings: DenoisingTrainingConfiguration, teaching: TeachingConfiguration = TeachingConfiguration(),
        teacher: Model? = nil, extensions: [any TrainingExtension] = []
    ) throws where Task == Denoising<Model> {
        if let teacher { try teaching.features?.check(model, teacher) }
        let objective = try DenoisingObjective(scheduler, weighting: settings.lossWeighting)
        let seed = UInt64(settings.seed)
        var batches = batches
        if let teacher, teaching.predictionUses > 1 {
            batches = RepeatedBatches(
                batches, objective, predictedBy: teacher, uses: teaching.predictionUses, steps: settings.steps,
                seed: seed)
        }
        if teaching.jacobian != nil { batches = DirectedBatches(batches, seed: seed) }
        try self.init(
            Denoising(
                objective, distillation: teaching.distillation, features: teaching.features,
                jacobian: teaching.jacobian),
            network: model, batches: batches, configuration: settings.training, teacher: teacher,
            extensions: extensions)
    }
}
