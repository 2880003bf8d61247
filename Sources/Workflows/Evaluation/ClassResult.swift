import Diffusion
import Evaluation
import Statistics

/// What a comparison found of one class.
public struct ClassResult: Sendable {
    public let label: Int
    /// nil where the data give no names.
    public let name: String?
    /// Of the pictures drawn with it.
    public let consistency: ConsistencySummary
    /// Over the images of the class on which predictions were compared: the ε-error, averaged over timesteps; nil where
    /// none was.
    public let predictions: SampleStatistics?

    /// Those of all classes that were drawn; none where it was one class, or no class at all.
    ///
    /// - Parameters:
    ///   - cleanLabels: the classes of the images on which predictions were compared; nil where they are not known.
    ///   - names: of the classes of the data.
    static func gather(
        _ classes: ImageClasses?, pairs: ImageConsistency, predictions: NoisePredictionErrors, cleanLabels: [Int]?,
        names: [String]?
    ) throws -> [ClassResult] {
        guard case .all(let count)? = classes else { return [] }
        let drawn = pairs.psnr.indices
        let errors = Dictionary(grouping: (cleanLabels ?? []).enumerated(), by: \.element)
        return try (0..<min(count, drawn.count)).map { label in
            let members = stride(from: label, to: drawn.count, by: count)
            let compared = (errors[label] ?? []).map { predictions.byImage[$0.offset] }
            return ClassResult(
                label: label, name: names.flatMap { label < $0.count ? $0[label] : nil },
                consistency: try ConsistencySummary(pairs.selecting(Array(members))),
                predictions: compared.isEmpty ? nil : try SampleStatistics(compared))
        }
    }
}
