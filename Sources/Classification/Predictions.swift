import Foundation
import Imagery
import Layers
import TensorCore

/// What a classifier says of each image of a data set.
public struct Predictions: Sendable, Equatable {
    /// The likeliest class of each image.
    public let classes: [Int]
    /// The true one.
    public let labels: [Int]
    /// −ln of the probability given to the true class.
    public let losses: [Double]

    /// Images that go through the net at once, which bounds memory.
    private static var batchSize: Int { 128 }

    /// - Parameters:
    ///   - network: what is asked; its weights must not change meanwhile.
    ///   - dataset: with labels.
    ///   - progress: told how many images are done; what it throws ends the work.
    /// - Throws: `ClassificationError`, what `progress` throws.
    public init(
        of network: some Classifier, on dataset: InMemoryDataset, progress: (_ done: Int) throws -> Void = { _ in }
    ) throws {
        let weights = FrozenWeights()
        let size = dataset.height * dataset.width * dataset.channels
        var (classes, labels, losses) = ([Int](), [Int](), [Double]())
        for start in stride(from: 0, to: dataset.count, by: Self.batchSize) {
            let range = start..<min(start + Self.batchSize, dataset.count)
            let images = Tensor(uninitialized: [range.count, dataset.height, dataset.width, dataset.channels])
            for index in range { dataset.read(index, into: images.pointer + (index - start) * size) }
            let logits = weights.prediction(of: range.count, imageShape: [network.classCount]) {
                network.logits(of: Variable($0.count == range.count ? images : images.rows($0)))
            }
            guard logits.allFinite else { throw ClassificationError.notFinite }
            classes += logits.likeliestClasses
            for index in range {
                let label = dataset.label(index) ?? 0
                guard (0..<network.classCount).contains(label) else {
                    throw ClassificationError.label(got: label, classes: network.classCount)
                }
                labels.append(label)
                losses.append(Self.loss(logits.rows(index - start..<index - start + 1).array, label))
            }
            try progress(range.upperBound)
        }
        (self.classes, self.labels, self.losses) = (classes, labels, losses)
    }

    private static func loss(_ logits: [Float], _ label: Int) -> Double {
        let largest = Double(logits.max() ?? 0)
        return log(logits.reduce(0) { $0 + exp(Double($1) - largest) }) + largest - Double(logits[label])
    }

    /// Whether each image's class is the true one.
    public var isCorrect: [Bool] { zip(classes, labels).map { $0 == $1 } }

    /// The fraction of images whose class is the true one; 0 of none.
    public var accuracy: Double { Double(isCorrect.count { $0 }) / Double(max(labels.count, 1)) }

    /// Mean cross-entropy.
    public var loss: Double { losses.reduce(0, +) / Double(max(losses.count, 1)) }

    /// The fraction of images of which `other` says the same.
    public func agreement(with other: Predictions) -> Double {
        Double(zip(classes, other.classes).count { $0 == $1 }) / Double(max(classes.count, 1))
    }

    /// How many images of each class (row) were taken for each (column), of `count` classes.
    public func confusion(count: Int) -> [[Int]] {
        var table = Array(repeating: Array(repeating: 0, count: count), count: count)
        for (label, got) in zip(labels, classes) { table[label][got] += 1 }
        return table
    }
}
