import LinearAlgebra

/// The Fréchet distance of two Gaussians fitted to features: |μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^½).
///
/// It is called FID only when the features are those of the original Inception network; name any other after its
/// feature net. Based on: Dowson & Landau, "The Fréchet distance between multivariate normal distributions", 1982;
/// Heusel et al., 2017.
///
/// Differs from the usual implementation: no general matrix square root, which can turn complex or NaN on singular
/// covariances. With Σ₁ = VΛVᵀ, the eigenvalues of Σ₁Σ₂ are those of the symmetric (VΛ^½)ᵀ Σ₂ (VΛ^½), so the trace is a
/// sum of real square roots, clipped at zero.
public enum FrechetDistance {
    /// Finds out before any work whether distances can be computed: LAPACK is the system's.
    /// - Throws: `MetricError.linearAlgebra`.
    public static func prepare() throws(MetricError) {
        try linearAlgebra { () throws(LinearAlgebraError) in try BLAS.prepare() }
    }

    /// - Returns: a finite value ≥ 0, 0 for equal statistics up to rounding, symmetric in its arguments up to rounding.
    /// - Throws: `MetricError` when the dimensions differ, a side has fewer than two samples, values are
    ///   so large that their products overflow, or LAPACK fails.
    public static func value(_ first: FeatureStatistics, _ second: FeatureStatistics) throws(MetricError) -> Double {
        guard first.dimension == second.dimension else {
            throw .wrongLength(what: "the second feature vector", got: second.dimension, expected: first.dimension)
        }
        let dimension = first.dimension
        let firstCovariance = try first.covariance()
        let secondCovariance = try second.covariance()
        var distance = 0.0
        for index in 0..<dimension {
            let difference = first.mean[index] - second.mean[index]
            distance += difference * difference
        }
        for index in 0..<dimension {
            distance += firstCovariance[index * dimension + index] + secondCovariance[index * dimension + index]
        }
        distance -= 2 * (try traceOfRootOfProduct(firstCovariance, secondCovariance, dimension: dimension))
        guard distance.isFinite else { throw .tooLarge(what: "the feature statistics") }
        return max(0, distance)
    }

    private static func traceOfRootOfProduct(
        _ first: [Double], _ second: [Double], dimension: Int
    ) throws(MetricError) -> Double {
        guard first.allSatisfy(\.isFinite) else { throw .tooLarge(what: "the feature statistics") }
        var vectors = first
        let values = try eigen(&vectors, size: dimension, vectors: true)
        // Directions without variance add nothing but the square roots of rounding errors.
        let threshold = Double(dimension) * Double.ulpOfOne * max(0, values[dimension - 1])
        guard let firstKept = values.firstIndex(where: { $0 > threshold }) else { return 0 }
        let rank = dimension - firstKept

        // Row k of `root`, dimension long, is √λ_k v_k.
        var root = Array(vectors[(firstKept * dimension)...])
        for row in 0..<rank {
            let scale = values[firstKept + row].squareRoot()
            for column in 0..<dimension {
                root[row * dimension + column] *= scale
            }
        }
        var half = [Double](repeating: 0, count: rank * dimension)
        var product = [Double](repeating: 0, count: rank * rank)
        try linearAlgebra { () throws(LinearAlgebraError) in
            try BLAS.multiply(root, by: second, rows: rank, inner: dimension, columns: dimension, into: &half)
            try BLAS.multiply(
                half, by: root, otherTransposed: true, rows: rank, inner: dimension, columns: rank, into: &product)
        }
        guard product.allSatisfy(\.isFinite) else { throw .tooLarge(what: "the feature statistics") }
        let productValues = try eigen(&product, size: rank, vectors: false)
        return productValues.reduce(0) { $0 + max(0, $1).squareRoot() }
    }

    private static func eigen(
        _ matrix: inout [Double], size: Int, vectors: Bool
    ) throws(MetricError) -> [Double] {
        try linearAlgebra { () throws(LinearAlgebraError) in
            try SymmetricEigen.decompose(&matrix, size: size, vectors: vectors)
        }
    }
}

/// Runs `body`, whose errors are then those of a metric.
func linearAlgebra<Result>(_ body: () throws(LinearAlgebraError) -> Result) throws(MetricError) -> Result {
    do {
        return try body()
    } catch {
        throw .linearAlgebra(error)
    }
}
