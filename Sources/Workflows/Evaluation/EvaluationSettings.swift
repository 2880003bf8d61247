import Datasets
import Diffusion
import Files
import Foundation

/// How two models are compared.
public struct EvaluationSettings: Sendable {
    /// Pictures drawn by each model.
    public var count = 64
    public var seed: UInt64 = 0
    public var sampler = SamplerName.ddim
    /// Sampling steps.
    public var steps = 50
    /// DDIM's η, 0 (no noise is added) … 1.
    public var eta = 0.0
    /// For class-conditional models; nil for all classes in turn.
    public var classes: ClassChoice?
    /// Pictures that go through a model together; changes no number but the memory taken.
    public var batchSize = 16
    /// Real images, for the ε-error and as the reference of the Fréchet distance; an empty path for none.
    public var data = DataConfiguration()
    /// Feature net of the Fréchet distance; nil for the bundled one where it fits the images.
    public var features: URL?
    /// Timesteps at which predictions are compared.
    public var timestepCount = 10
    /// Images on which they are compared, at most.
    public var predictionImages = 64
    /// Images of the reference of the Fréchet distance, at most.
    public var referenceImages = 10_000
    /// Pictures of the batch that is timed and whose memory is measured.
    public var timedBatch = 16
    /// Whether the pictures are also written, to `images/dense` and `images/pruned`.
    public var savesImages = false
    /// The first so many of them; nil for all.
    var savedLimit: Int?

    public init() {}

    /// - Throws: `SamplerError`, `SchedulerError`.
    func makeSampler(_ scheduler: SchedulerConfiguration) throws -> any Sampler {
        try sampler.makeSampler(scheduler, steps: steps, eta: eta)
    }

    func validate() throws {
        try require((1...100_000).contains(count), "count", got: count, expected: "1...100000")
        try require((1...1_000_000).contains(steps), "steps", got: steps, expected: "1...1000000")
        try require((1...4096).contains(batchSize), "batch_size", got: batchSize, expected: "1...4096")
        try require((1...1000).contains(timestepCount), "timestep_count", got: timestepCount, expected: "1...1000")
        try require(
            (1...100_000).contains(predictionImages), "prediction_images", got: predictionImages, expected: "1...100000"
        )
        try require(
            (2...1_000_000).contains(referenceImages), "reference_images", got: referenceImages, expected: "2...1000000"
        )
        try require((1...4096).contains(timedBatch), "timed_batch", got: timedBatch, expected: "1...4096")
        try SettingError.within("data", data.validate)
    }
}

/// Why two models cannot be compared.
public enum EvaluationError: Error, Equatable, CustomStringConvertible {
    /// The models draw different pictures, learned different schedules, or predict different things.
    case notComparable(what: String, dense: String, pruned: String)
    /// The feature net named takes other pictures.
    case featureNet(path: String, got: String, expected: String)
    /// Two folders of pictures that do not pair up by name.
    case unpaired(folder: String, other: String, names: [String])
    /// A folder without pictures.
    case noImages(folder: String)

    public var description: String {
        switch self {
        case .notComparable(let what, let dense, let pruned):
            "the models cannot be compared: \(what) is \(dense) in the dense one and \(pruned) in the pruned one"
        case .featureNet(let path, let got, let expected):
            "\(path): the feature net takes pictures of \(got), expected \(expected) as the models draw"
        case .unpaired(let folder, let other, let names):
            "\(folder) has \(names.count == 1 ? "an image" : "\(names.count) images") without a counterpart in "
                + "\(other): " + names.prefix(3).joined(separator: ", ") + (names.count > 3 ? ", …" : "")
                + "; expected the same file names in both"
        case .noImages(let folder):
            "\(folder): there are no PNG or JPEG files in it"
        }
    }
}
