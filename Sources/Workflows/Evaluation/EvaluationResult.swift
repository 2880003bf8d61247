import Diffusion
import Evaluation
import Files
import Foundation
import ModelFolders
import Statistics
import Timing

/// Everything that a comparison of two models found.
public struct EvaluationResult: Sendable {
    /// One number of each model.
    public struct Pair: Sendable, Equatable {
        public let dense: Double
        public let pruned: Double

        public init(dense: Double, pruned: Double) {
            self.dense = dense
            self.pruned = pruned
        }

        /// Pruned over dense; 0 where there is nothing to divide by.
        public var ratio: Double { dense > 0 ? pruned / dense : 0 }
    }

    public struct Efficiency: Sendable {
        public let parameters: Pair
        /// For one image, and of what is drawn one step.
        public let macs: Pair
        public let fileBytes: Pair
        /// Weights and buffers of one step of a batch of `batch`: of sampling, or a classification.
        public let peakBytes: Pair
        public let batch: Int
        /// Milliseconds of a step of the whole batch, dense first.
        public let batchTiming: InterleavedTiming
        /// The same of one picture.
        public let singleTiming: InterleavedTiming
        public let threads: Int
        public let instructionSet: String
        public let processor: String
    }

    public let count: Int
    public let seed: UInt64
    public let samplerName: String
    public let steps: Int
    public let eta: Double
    /// Of the pictures; nil for unconditional models.
    public let classes: ImageClasses?
    public let consistency: ConsistencySummary
    /// A class each, where pictures of all were drawn.
    public let byClass: [ClassResult]
    public let predictions: NoisePredictionErrors
    /// What the predictions were compared on.
    public let predictionSource: String
    public let predictionImages: Int
    public let quality: FrechetQuality
    public let efficiency: Efficiency
    /// Each pair of pictures by itself.
    public let pairs: ImageConsistency
    /// What was removed from the pruned model, and by which method; nil where it was never pruned.
    public let pruning: PruningRecord?
    public let warnings: [String]
    /// When and by which command the models were compared.
    public let madeBy: Provenance
}

/// Means and spreads of an `ImageConsistency`.
public struct ConsistencySummary: Sendable {
    /// Of the pairs that are large enough for it; nil where none is.
    public let ssim: SampleStatistics?
    /// Of ratios capped at 100 dB.
    public let psnr: SampleStatistics
    public let meanSquaredError: SampleStatistics
    public let identicalPairs: Int

    public init(_ pairs: ImageConsistency) throws {
        let similarities = pairs.ssim.compactMap { $0 }
        ssim = similarities.isEmpty ? nil : try SampleStatistics(similarities, within: -1...1)
        let (statistics, identical) = try PeakSignalToNoise.summary(of: pairs.psnr)
        psnr = statistics
        identicalPairs = identical
        meanSquaredError = try SampleStatistics(pairs.meanSquaredError, within: 0...1)
    }
}
