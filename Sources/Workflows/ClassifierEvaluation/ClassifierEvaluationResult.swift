import Classification
import Files
import ModelFolders
import Statistics

/// Everything that a comparison of two classifiers found.
public struct ClassifierEvaluationResult: Sendable {
    /// What one of the models says of the images.
    public struct Side: Sendable {
        public let predictions: Predictions
        /// Of 1 for an image that is classified correctly and 0 for another.
        public let accuracy: SampleStatistics
        /// Cross-entropy.
        public let loss: SampleStatistics
        /// Images of each class (row) by what they were taken for (column).
        public let confusion: [[Int]]

        init(_ predictions: Predictions, classes: Int) throws {
            self.predictions = predictions
            accuracy = try SampleStatistics(predictions.isCorrect.map { $0 ? 1 : 0 }, within: 0...1)
            loss = try SampleStatistics(predictions.losses, within: 0...Double.infinity)
            confusion = predictions.confusion(count: classes)
        }
    }

    public let dense: Side
    public let pruned: Side
    /// Of 1 for an image that both take for the same and 0 for another.
    public let agreement: SampleStatistics
    /// Of accuracy, pruned less dense, image by image.
    public let difference: SampleStatistics
    public let classNames: [String]
    /// The images, in words.
    public let source: String
    public let efficiency: EvaluationResult.Efficiency
    /// What was removed from the pruned model, and by which method; nil where it was never pruned.
    public let pruning: PruningRecord?
    public let warnings: [String]
    /// When and by which command the models were compared.
    public let madeBy: Provenance

    public var count: Int { dense.accuracy.count }

    /// The fraction of each class's images that `side` classifies correctly; nil of a class that no image has.
    static func accuracies(_ side: Side) -> [Double?] {
        side.confusion.enumerated().map { label, row in
            let total = row.reduce(0, +)
            return total > 0 ? Double(row[label]) / Double(total) : nil
        }
    }
}
