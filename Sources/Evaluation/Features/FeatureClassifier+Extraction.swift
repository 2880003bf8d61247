import Imagery
import Models
import TensorCore

/// Images that go through the net at once, which bounds memory.
private let batchSize = 64

extension FeatureClassifier: FeatureExtractor {
    public var name: String { configuration.name }

    public func accepts(height: Int, width: Int, channels: Int) -> Bool {
        height == configuration.inputSize && width == configuration.inputSize && channels == configuration.channels
    }

    public func features(of images: [Image]) throws -> [[Float]] {
        let rows = try outputs(for: images, pooledFeatures)
        for (index, row) in rows.enumerated() where !row.allSatisfy(\.isFinite) {
            throw FeatureError.notFinite(index: index, extractor: name)
        }
        return rows
    }

    /// The likeliest class of each image.
    /// - Throws: as `features(of:)`.
    public func classes(of images: [Image]) throws -> [Int] {
        try outputs(for: images, logits).enumerated().map { index, row in
            guard row.allSatisfy(\.isFinite) else { throw FeatureError.notFinite(index: index, extractor: name) }
            return row.indices.reduce(0) { row[$1] > row[$0] ? $1 : $0 }
        }
    }

    private func outputs(for images: [Image], _ net: (Variable) -> Variable) throws -> [[Float]] {
        let size = configuration.inputSize
        for (index, image) in images.enumerated()
        where !accepts(height: image.height, width: image.width, channels: image.channels) {
            throw FeatureError.unacceptableImage(
                index: index, got: "\(image.height)×\(image.width)×\(image.channels)",
                expected: "\(size)×\(size)×\(configuration.channels)", extractor: name)
        }
        return stride(from: 0, to: images.count, by: batchSize).flatMap { start -> [[Float]] in
            let part = images[start..<min(start + batchSize, images.count)]
            let input = Tensor(part.flatMap(\.signedUnit), shape: [part.count, size, size, configuration.channels])
            let output = Autograd.withoutRecording { net(Variable(input)).value }
            return (0..<part.count).map { output.rows($0..<($0 + 1)).array }
        }
    }

    /// The fraction of a labelled data set's images that are classified correctly.
    /// - Throws: as `features(of:)`.
    public func accuracy(on dataset: InMemoryDataset) throws -> Double {
        let classes = try classes(of: (0..<dataset.count).map(dataset.image))
        let correct = classes.enumerated().count { dataset.label($0.offset) == $0.element }
        return Double(correct) / Double(dataset.count)
    }
}
