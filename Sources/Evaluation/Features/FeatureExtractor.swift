import Imagery

/// A named map from pictures to vectors. Distances between sets of pictures are measured in such a space and mean
/// something only beside its name: two feature nets give two scales.
public protocol FeatureExtractor {
    /// What reports call the space, such as "fashion-classifier-64".
    var name: String { get }
    /// Length of one feature vector.
    var dimension: Int { get }
    /// Whether pictures of this shape can be judged. Nothing is resized behind the caller's back, since resizing alone
    /// moves a Fréchet distance.
    func accepts(height: Int, width: Int, channels: Int) -> Bool
    /// One vector of `dimension` an image, in the order of `images`.
    /// An image's vector has the same bits whatever images come with it.
    /// - Throws: `FeatureError` for an image of a shape that is not accepted, or features that are not finite.
    func features(of images: [Image]) throws -> [[Float]]
}

extension FeatureExtractor {
    /// Mean and covariance of the features of a set of pictures, which `FrechetDistance` compares. Pictures are taken
    /// in parts, so that a large set needs no more memory than a small one.
    /// - Throws: as `features(of:)`; `MetricError`.
    public func statistics(of images: some Sequence<Image>) throws -> FeatureStatistics {
        var statistics = try FeatureStatistics(dimension: dimension)
        var part: [Image] = []
        for image in images {
            part.append(image)
            if part.count == 256 {
                try statistics.add(try features(of: part).flatMap { $0 })
                part.removeAll(keepingCapacity: true)
            }
        }
        try statistics.add(try features(of: part).flatMap { $0 })
        return statistics
    }
}

/// What can be wrong with a feature net or the pictures it is given.
public enum FeatureError: Error, Equatable, CustomStringConvertible {
    /// Image `index` of those given has another shape than the net takes.
    case unacceptableImage(index: Int, got: String, expected: String, extractor: String)
    /// The net made a NaN or an infinity of image `index`.
    case notFinite(index: Int, extractor: String)

    public var description: String {
        switch self {
        case .unacceptableImage(let index, let got, let expected, let extractor):
            "image \(index) is \(got) (height×width×channels), but the feature net '\(extractor)' takes \(expected)"
        case .notFinite(let index, let extractor):
            "the feature net '\(extractor)' gives values that are not finite for image \(index)"
        }
    }
}
