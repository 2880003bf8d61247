import TestSupport
import Foundation
import Imagery
import TensorCore

enum FeatureFixtures {
    static let model = Repository.url("Samples/models/fashion-features")

    /// The bundled pictures at the size that the bundled net takes.
    static func images(_ split: DatasetSpecification.Split) throws -> InMemoryDataset {
        try DatasetReader.open(
            DatasetSpecification(
                path: Repository.url("Samples/fashion-mnist").path, split: split, size: 32,
                channels: 1))
    }
}

extension Image {
    /// With normal noise of `deviation` grey levels on every sample; noise `index` is the same for every deviation.
    func noisy(deviation: Float, index: Int) -> Image {
        var stream = RandomStream(seed: 7, purpose: "test-noise", index: UInt64(index))
        return mapping { UInt8(min(max((Float($0) + deviation * stream.normal()).rounded(), 0), 255)) }
    }

    func mapping(_ change: (UInt8) -> UInt8) -> Image {
        Image(width: width, height: height, channels: channels, pixels: pixels.map(change))
    }
}
