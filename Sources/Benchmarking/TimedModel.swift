import Layers
import ModelFolders
import Workflows

/// A kind of model that can be timed.
protocol TimedModel {
    var network: any ChannelNetwork { get }
    /// Height and width of its images.
    var imageSize: [Int] { get }
    var warnings: [String] { get }

    /// The model with a batch of `count` random images.
    /// - Throws: `RequestError` where they cannot fit this machine's memory; what the model says to them.
    func inputs(batch count: Int, settings: BenchmarkSettings) throws -> any TimedInputs
}

/// A model with a batch that is always the same, ready for each kind of work.
protocol TimedInputs {
    func forward() throws -> () throws -> Void
    func sampling(steps: Int) throws -> () throws -> Void
    func trainingStep() throws -> () throws -> Void
    func hessianVectorProduct() throws -> () throws -> Void
}

extension Pipeline: TimedModel {
    var network: any ChannelNetwork { model }
    var imageSize: [Int] { model.size }

    func inputs(batch count: Int, settings: BenchmarkSettings) throws -> any TimedInputs {
        try BenchmarkInputs(self, batch: count, settings: settings)
    }
}

extension StoredImageClassifier: TimedModel {
    var network: any ChannelNetwork { model }
    var imageSize: [Int] { Array(imageShape.dropLast()) }

    func inputs(batch count: Int, settings: BenchmarkSettings) throws -> any TimedInputs {
        try ClassifierInputs(self, batch: count, settings: settings)
    }
}
