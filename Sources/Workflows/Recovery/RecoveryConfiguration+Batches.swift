import Datasets
import Diffusion
import Imagery
import Models
import Training

extension RecoveryConfiguration {
    /// What a model is trained on: a data set, what a teacher draws, or both in turn.
    ///
    /// - Parameters:
    ///   - data: nil where there is none.
    ///   - flip: whether half the pictures, at random, are mirrored left to right.
    ///   - model: what is trained.
    ///   - teacher: what draws; not to be trained.
    ///   - scheduler: the noise schedule of both.
    ///   - settings: batch size, seed, and how timesteps are drawn.
    /// - Throws: `SettingError`, `SamplerError`, `SchedulerError` for what cannot be drawn or learned from.
    func batches(
        _ data: InMemoryDataset?, flip: Bool, for model: UNet, drawnBy teacher: UNet?,
        _ scheduler: SchedulerConfiguration, _ settings: DenoisingTrainingConfiguration
    ) throws -> any BatchSource<DenoisingBatch> {
        let own = try data.map { try DenoisingBatches($0, flip: flip, for: model, scheduler, settings) }
        guard isDrawn, let teacher else {
            guard let own else { preconditionFailure("neither a data set nor a teacher that draws") }
            return own
        }
        try DataConfiguration.checkPrediction(of: model)
        return try GeneratedBatches(
            drawnBy: teacher, scheduler, generation, settings: settings, flip: flip, data: own)
    }
}
