import TestSupport
import Foundation
import Imagery

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
