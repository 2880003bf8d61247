import Datasets
import Diffusion
import Imagery
import Models
import TensorCore

/// A tiny model that draws, and what it draws for another to learn from.
enum GenerationFixtures {
    static func model(classes: Int? = nil, seed: UInt64 = 3, _ change: (inout UNetConfiguration) -> Void = { _ in })
        throws -> UNet
    {
        var configuration = UNetConfiguration()
        configuration.sampleSize = [4, 4]
        configuration.inChannels = 1
        configuration.outChannels = 1
        configuration.blockOutChannels = [8]
        configuration.downBlockTypes = ["DownBlock2D"]
        configuration.upBlockTypes = ["UpBlock2D"]
        configuration.normNumGroups = 4
        configuration.layersPerBlock = 1
        configuration.numClassEmbeds = classes
        change(&configuration)
        let model = try UNet(configuration)
        model.initialize(seed: seed)
        return model
    }

    static func plan(
        _ kind: GenerationConfiguration.Kind, count: Int = 20, steps: Int = 4, passes: Int? = nil, share: Double? = nil
    ) throws -> GenerationConfiguration {
        var plan = GenerationConfiguration()
        plan.generated = kind
        plan.generatedCount = count
        plan.generatedSteps = steps
        plan.generatedPasses = passes
        plan.generatedShare = share
        try plan.validate()
        return try plan.resolved(hasData: share != nil)
    }

    static func settings(batchSize: Int = 5) -> DenoisingTrainingConfiguration {
        var settings = DenoisingTrainingConfiguration()
        settings.batchSize = batchSize
        settings.seed = 7
        return settings
    }

    static func batches(
        _ model: UNet, _ plan: GenerationConfiguration, batchSize: Int = 5, data: DenoisingBatches? = nil
    ) throws -> GeneratedBatches<UNet> {
        try GeneratedBatches(
            drawnBy: model, SchedulerConfiguration(), plan, settings: settings(batchSize: batchSize), flip: false,
            data: data)
    }

    /// The same with lot 0 there.
    static func drawn(
        _ model: UNet, _ plan: GenerationConfiguration, batchSize: Int = 5, data: DenoisingBatches? = nil
    ) throws -> GeneratedBatches<UNet> {
        let batches = try batches(model, plan, batchSize: batchSize, data: data)
        try batches.make(lot: 0) { _ in }
        return batches
    }

    /// Twelve pictures that are each of one grey.
    static func data(for model: UNet) throws -> DenoisingBatches {
        let pixels = (0..<12).flatMap { Array(repeating: UInt8($0 * 20), count: 16) }
        return try DenoisingBatches(
            InMemoryDataset(pixels: pixels, height: 4, width: 4, channels: 1), flip: false, for: model,
            SchedulerConfiguration(), settings())
    }
}
