import LinearAlgebra

/// Mean and covariance of feature vectors that arrive in batches, in double precision.
///
/// Blocks are centred on their own mean before they are added (Chan, Golub, LeVeque 1979), so nothing cancels when
/// features sit far from zero; any order and any batch size give the same statistics up to rounding.
public struct FeatureStatistics: Sendable {
    /// The largest feature width accepted: its covariance takes 0.5 GiB.
    public static let maximumDimension = 8192
    private static let rowsPerBlock = 256

    /// Length of one feature vector.
    public let dimension: Int
    /// Vectors added so far.
    public private(set) var count = 0
    /// The mean feature vector, all zeros before the first sample.
    public private(set) var mean: [Double]
    /// Σ (x − mean)(x − mean)ᵀ, dimension × dimension, both triangles filled.
    private var scatter: [Double]

    /// - Throws: `MetricError.impossibleDimension` outside 1…`maximumDimension`.
    public init(dimension: Int) throws(MetricError) {
        guard (1...Self.maximumDimension).contains(dimension) else { throw .impossibleDimension(dimension) }
        self.dimension = dimension
        mean = [Double](repeating: 0, count: dimension)
        scatter = [Double](repeating: 0, count: dimension * dimension)
    }

    /// Statistics made elsewhere, such as a published reference set.
    /// - Parameters:
    ///   - mean: dimension values; its length is the dimension.
    ///   - covariance: dimension × dimension values, divisor count − 1.
    ///   - count: the samples behind them, at least 2.
    /// - Throws: `MetricError` when lengths disagree, a value is not finite, the covariance is not symmetric to 1e-6 of
    ///   its largest element, or count < 2.
    public init(mean: [Double], covariance: [Double], count: Int) throws(MetricError) {
        try self.init(dimension: mean.count)
        guard count >= 2 else { throw .tooFewSamples(what: "a covariance", got: count, needed: 2) }
        guard covariance.count == scatter.count else {
            throw .wrongLength(what: "the covariance", got: covariance.count, expected: scatter.count)
        }
        try Self.requireFinite(mean, "the mean")
        try Self.requireFinite(covariance, "the covariance")
        let tolerance = 1e-6 * covariance.reduce(0) { max($0, abs($1)) }
        for row in 0..<dimension {
            for column in 0..<row {
                let difference = covariance[row * dimension + column] - covariance[column * dimension + row]
                guard abs(difference) <= tolerance else { throw .notSymmetric(row: row, column: column) }
            }
        }
        self.count = count
        self.mean = mean
        scatter = covariance.map { $0 * Double(count - 1) }
    }

    /// Adds a batch of feature vectors.
    /// - Parameter features: [n, dimension] values, row after row; n ≥ 0.
    /// - Throws: `MetricError` when the length is no multiple of the dimension, a value is not finite or there is no
    ///   LAPACK; the statistics are then as before the call.
    public mutating func add(_ features: [Float]) throws(MetricError) {
        guard features.count % dimension == 0 else {
            let whole = features.count / dimension * dimension
            throw .wrongLength(
                what: "a batch of feature vectors of width \(dimension)", got: features.count,
                expected: whole + dimension)
        }
        for (index, value) in features.enumerated() where !value.isFinite {
            throw .notFinite(what: "a batch of feature vectors", index: index)
        }
        let rows = features.count / dimension
        var start = 0
        while start < rows {
            let end = min(start + Self.rowsPerBlock, rows)
            try addBlock(features[(start * dimension)..<(end * dimension)], rows: end - start)
            start = end
        }
    }

    /// The sample covariance (divisor n − 1), dimension × dimension, symmetric.
    /// - Throws: `MetricError.tooFewSamples` below two samples.
    public func covariance() throws(MetricError) -> [Double] {
        guard count >= 2 else { throw .tooFewSamples(what: "a covariance", got: count, needed: 2) }
        let divisor = Double(count - 1)
        return scatter.map { $0 / divisor }
    }

    /// A warning where the covariance cannot have full rank,
    /// which makes a Fréchet distance depend on the sample count; nil where it can.
    public var warning: String? { Self.warning(dimension: dimension, samples: [("samples", count)]) }

    /// The same of all the sets that distances are taken between: names each that is too small.
    public static func warning(dimension: Int, samples: [(what: String, count: Int)]) -> String? {
        let few = samples.filter { $0.count <= dimension }.map { "\($0.count) \($0.what)" }
        guard !few.isEmpty else { return nil }
        return "only \(few.joined(separator: " and ")) for \(dimension)-dimensional features: "
            + "\(few.count == 1 ? "the covariance is" : "the covariances are") singular and a Fréchet distance is "
            + "biased upwards; compare only distances of equal sample counts"
    }

    private mutating func addBlock(_ block: ArraySlice<Float>, rows: Int) throws(MetricError) {
        var centered = block.map(Double.init)
        var blockMean = [Double](repeating: 0, count: dimension)
        for row in 0..<rows {
            for column in 0..<dimension {
                blockMean[column] += centered[row * dimension + column]
            }
        }
        for column in 0..<dimension {
            blockMean[column] /= Double(rows)
        }
        for row in 0..<rows {
            for column in 0..<dimension {
                centered[row * dimension + column] -= blockMean[column]
            }
        }
        try linearAlgebra { () throws(LinearAlgebraError) in
            try BLAS.multiply(
                centered, transposed: true, by: centered, rows: dimension, inner: rows, columns: dimension, beta: 1,
                into: &scatter)
        }
        try moveMean(towards: blockMean, count: rows)
    }

    /// Adds the rank-one term of two different means to the scatter, then takes the common mean and count.
    private mutating func moveMean(towards otherMean: [Double], count otherCount: Int) throws(MetricError) {
        let total = Double(count + otherCount)
        let fraction = Double(otherCount) / total
        let weight = Double(count) * fraction
        let difference = zip(otherMean, mean).map { $0 - $1 }
        if count > 0 {
            try linearAlgebra { () throws(LinearAlgebraError) in
                try BLAS.addOuterProduct(of: difference, times: weight, to: &scatter)
            }
        }
        for column in 0..<dimension {
            mean[column] += fraction * difference[column]
        }
        count += otherCount
    }

    private static func requireFinite(_ values: [Double], _ what: String) throws(MetricError) {
        for (index, value) in values.enumerated() where !value.isFinite {
            throw .notFinite(what: what, index: index)
        }
    }
}
