import Diffusion
import Evaluation
import Foundation
import Imagery
import TensorCore

/// How near the pictures drawn are to real ones, as sets: Fréchet distances in the space of a named feature net.
public enum FrechetQuality: Sendable {
    public struct Distances: Sendable {
        public let dense: Double
        public let pruned: Double
        public let denseToPruned: Double
        /// Of as many real images that are not in the reference: what no model can be expected to beat. nil where the
        /// data set has too few.
        public let realImages: Double?
        public let featureNet: String
        public let dimension: Int
        /// Pictures of each model.
        public let count: Int
        public let reference: String
        public let referenceCount: Int
        public let warning: String?
    }

    case measured(Distances)
    /// - remedy: what can be done about it; nil where nothing can.
    case unavailable(reason: String, remedy: String? = nil)

    /// What weakens the distances, if anything does.
    var warning: String? {
        if case .measured(let distances) = self { distances.warning } else { nil }
    }

    /// - Parameters:
    ///   - limit: reference images, at most.
    ///   - classes: of the pictures. The reference is the real images of the classes that are drawn.
    ///   - name: what the report calls the reference.
    /// - Throws: `FeatureError`, `MetricError`.
    static func measure(
        dense: [Image], pruned: [Image], dataset: InMemoryDataset, limit: Int, classes: ImageClasses?, seed: UInt64,
        name: String, extractor: some FeatureExtractor
    ) throws -> FrechetQuality {
        guard dense.count >= 2 else {
            return .unavailable(
                reason: "a covariance needs at least two pictures of each model", remedy: "--count 2 or more draws them"
            )
        }
        if case .one? = classes, dataset.labelCount == nil {
            return .unavailable(
                reason: "the pictures are all of one class, and the data have no classes to take it from",
                remedy: "--class all, or data with classes")
        }
        var stream = RandomStream(seed: seed, purpose: "evaluation-reference")
        let order = stream.permutation(count: dataset.count).filter { isDrawn(dataset.label($0), classes, dense.count) }
        guard order.count >= 2 else {
            return .unavailable(reason: "the reference has \(order.count) images; a covariance needs at least two")
        }
        // Real images of their own are set aside only where the reference stays the larger part.
        let aside = order.count >= 4 * dense.count ? dense.count : 0
        let chosen = order.dropFirst(aside).prefix(limit)
        let reference = try extractor.statistics(of: chosen.lazy.map(dataset.image))
        let denseStatistics = try extractor.statistics(of: dense)
        let prunedStatistics = try extractor.statistics(of: pruned)
        let real = try aside > 1 ? extractor.statistics(of: order.prefix(aside).lazy.map(dataset.image)) : nil
        return .measured(
            Distances(
                dense: try FrechetDistance.value(denseStatistics, reference),
                pruned: try FrechetDistance.value(prunedStatistics, reference),
                denseToPruned: try FrechetDistance.value(denseStatistics, prunedStatistics),
                realImages: try real.map { try FrechetDistance.value($0, reference) }, featureNet: extractor.name,
                dimension: extractor.dimension, count: dense.count, reference: name, referenceCount: reference.count,
                warning: FeatureStatistics.warning(
                    dimension: extractor.dimension,
                    samples: [("pictures of each model", dense.count), ("reference images", reference.count)])))
    }

    /// Whether there are pictures of a real image's class among the first `count`; of no class there is nothing to say.
    private static func isDrawn(_ label: Int?, _ classes: ImageClasses?, _ count: Int) -> Bool {
        guard let label, let classes else { return true }
        return switch classes {
        case .one(let only): Float(label) == only
        case .all(let classes): label < min(classes, count)
        }
    }
}
