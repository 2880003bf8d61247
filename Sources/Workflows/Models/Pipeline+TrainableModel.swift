import Datasets
import Diffusion
import Imagery
import ModelFolders
import Models
import Training

extension DenoisingTrainingConfiguration: TrainingSection {}

/// Denoising models learn to tell noise from images.
extension Pipeline: TrainableModel {
    public typealias Folder = PipelineFolder
    public typealias Task = Denoising<UNet>
    public typealias Training = DenoisingTrainingConfiguration
    public typealias Recovery = RecoveryConfiguration

    /// A model that is only counted or sampled elsewhere may have no schedule that is known here.
    public func prepare() {
        if let scheduler = try? scheduler { model.timestepCount = scheduler.trainTimesteps }
    }

    public var imageShape: [Int] { model.imageShape }

    public func images(_ data: DataConfiguration) throws -> InMemoryDataset { try data.open(for: model) }

    public func check(_ recovery: RecoveryConfiguration, _ settings: DenoisingTrainingConfiguration) throws {
        guard recovery.isDrawn else { return }
        _ = try recovery.batches(nil, flip: false, for: model, drawnBy: model, scheduler, settings)
    }

    /// A teacher sees the same noisy images and must predict the same thing of them.
    public func check(teacher: Pipeline) throws {
        let (theirs, ours) = (teacher.model.configuration, model.configuration)
        func check<Value: Equatable>(
            _ what: String, _ got: Value, _ expected: Value, _ words: (Value) -> String
        ) throws {
            try TeacherCheck.same(what, got, expected, words)
        }
        func text(_ value: Any) -> String { "\(value)" }
        try check("in_channels", theirs.inChannels, ours.inChannels, text)
        try check("out_channels", theirs.outChannels, ours.outChannels, text)
        try check("image size", teacher.model.size, model.size, text)
        try check("class_embed_type", theirs.classEmbedType, ours.classEmbedType) { $0?.rawValue ?? "null" }
        try check("num_class_embeds", theirs.numClassEmbeds, ours.numClassEmbeds) { $0.map(text) ?? "null" }
        let (schedule, own) = (try teacher.scheduler, try scheduler)
        try check("prediction_type", schedule.predictionType, own.predictionType, \.rawValue)
        try check("num_train_timesteps", schedule.trainTimesteps, own.trainTimesteps, text)
    }

    public func trainer(
        on images: InMemoryDataset?, _ data: DataConfiguration, _ settings: DenoisingTrainingConfiguration,
        _ recovery: RecoveryConfiguration, teacher: Pipeline?
    ) throws -> DenoisingTrainer<UNet> {
        let scheduler = try scheduler
        let trainer = try DenoisingTrainer(
            denoising: model, scheduler,
            batches: recovery.batches(
                images, flip: data.flip, for: model, drawnBy: teacher?.model, scheduler, settings),
            settings: settings, teaching: recovery.teaching,
            teacher: recovery.teaching.needsTeacher ? teacher?.model : nil)
        if settings.steps > 0 { try trainer.task.objective.check(model) }
        return trainer
    }

    public func judgement(
        on images: InMemoryDataset, batchSize: Int, seed: Int
    ) throws -> (task: Denoising<UNet>, batches: any BatchSource<DenoisingBatch>) {
        var settings = DenoisingTrainingConfiguration()
        (settings.batchSize, settings.seed) = (batchSize, seed)
        let scheduler = try scheduler
        return (
            Denoising(try DenoisingObjective(scheduler)),
            try DenoisingBatches(images, flip: false, for: model, scheduler, settings)
        )
    }

    /// 64 images, always from the same noise and of all classes in turn.
    public func inspection(
        _ settings: DenoisingTrainingConfiguration, _ data: DataConfiguration
    ) throws -> Inspection<UNet>? {
        guard settings.sampleEvery > 0 else { return nil }
        let scheduler = try scheduler
        let (count, batchSize, steps) = (64, 16, min(50, scheduler.trainTimesteps))
        return Inspection(
            every: settings.sampleEvery, phase: "drawing samples,", noun: "sample grid", unit: "picture", count: count,
            batchSize: batchSize, pieces: count / batchSize * steps
        ) { model, progress in
            let classes = ImageClasses(everyOf: model.classConditioning)
            let sampler = ImageSampler(
                model: model, sampler: try SamplerName.ddim.makeSampler(scheduler, steps: steps),
                seed: UInt64(settings.seed), classes: classes, batchSize: batchSize)
            return try withoutActuallyEscaping(progress) { progress in
                .picture(
                    try ClassGrid.layOut(sampler.images(0..<count, progress: progress).images(), classes: classes))
            }
        }
    }
}
