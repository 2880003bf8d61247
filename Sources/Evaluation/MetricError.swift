import LinearAlgebra

/// What can be wrong with the input of a metric.
public enum MetricError: Error, Equatable, CustomStringConvertible {
    /// A height, width or channel count below 1, or a product of them that no array can hold.
    case impossibleShape(height: Int, width: Int, channels: Int)
    /// An image whose byte count is not height × width × channels. `which` is "first" or "second".
    case wrongByteCount(which: String, got: Int, expected: Int)
    /// An image smaller than the SSIM window.
    case imageTooSmall(height: Int, width: Int, window: Int)
    /// Fewer samples than the statistic is defined for.
    case tooFewSamples(what: String, got: Int, needed: Int)
    /// A NaN or an infinity at this position of the input.
    case notFinite(what: String, index: Int)
    /// Feature vectors, means or covariances of the wrong length.
    case wrongLength(what: String, got: Int, expected: Int)
    /// A feature width outside 1…`FeatureStatistics.maximumDimension`.
    case impossibleDimension(Int)
    /// Finite values so large that a sum of their squares is not.
    case tooLarge(what: String)
    /// A covariance whose element (row, column) is not the one at (column, row).
    case notSymmetric(row: Int, column: Int)
    /// LAPACK failed on an eigenvalue problem.
    case linearAlgebra(LinearAlgebraError)

    public var description: String {
        switch self {
        case .impossibleShape(let height, let width, let channels):
            "an image of height \(height), width \(width) and \(channels) channels is impossible: "
                + "each must be at least 1 and their product must fit in an Int"
        case .wrongByteCount(let which, let got, let expected):
            "the \(which) image holds \(got) bytes, expected height × width × channels = \(expected)"
        case .imageTooSmall(let height, let width, let window):
            "SSIM needs images of at least \(window)×\(window) pixels, got \(height)×\(width)"
        case .tooFewSamples(let what, let got, let needed):
            "\(what) needs at least \(needed) sample\(needed == 1 ? "" : "s"), got \(got)"
        case .notFinite(let what, let index):
            "\(what) holds a NaN or an infinity at index \(index)"
        case .wrongLength(let what, let got, let expected):
            "\(what) holds \(got) values, expected \(expected)"
        case .impossibleDimension(let dimension):
            "a feature width of \(dimension) is outside 1…\(FeatureStatistics.maximumDimension)"
        case .tooLarge(let what):
            "\(what) holds values too large to square and add in double precision"
        case .notSymmetric(let row, let column):
            "the covariance is not symmetric: elements (\(row), \(column)) and (\(column), \(row)) differ"
        case .linearAlgebra(let error): "\(error)"
        }
    }
}
