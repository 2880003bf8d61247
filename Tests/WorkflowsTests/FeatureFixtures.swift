import Foundation
import Imagery

enum FeatureFixtures {
    /// The repository, found from this file.
    static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static let model = repository.appendingPathComponent("Samples/models/fashion-features")

    /// The bundled pictures at the size that the bundled net takes.
    static func images(_ split: DatasetSpecification.Split) throws -> InMemoryDataset {
        try DatasetReader.open(
            DatasetSpecification(
                path: repository.appendingPathComponent("Samples/fashion-mnist").path, split: split, size: 32,
                channels: 1))
    }

    /// Runs `body` with the path of a folder that does not exist yet, and removes what it left there.
    static func withScratchFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("features-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        return try body(folder)
    }
}
