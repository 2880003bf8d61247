import COpenBLAS

/// A symmetric positive definite matrix A by its Cholesky factor, in double precision, by LAPACK.
package struct Cholesky {
    private let factor: [Double]
    private let size: Int

    /// - Parameters:
    ///   - matrix: A, size × size.
    ///   - size: at least 1.
    /// - Throws: `LinearAlgebraError`, also where A is not positive definite.
    package init(_ matrix: [Double], size: Int) throws(LinearAlgebraError) {
        precondition(size > 0 && matrix.count == size * size)
        var factor = matrix
        var (triangle, n, info) = (Self.lower, Int32(size), Int32(0))
        try BLAS.routines.dpotrf(&triangle, &n, &factor, &n, &info)
        let isPositive = (0..<size).allSatisfy { factor[$0 * size + $0] > 0 && factor[$0 * size + $0].isFinite }
        guard info == 0, isPositive else { throw .notPositiveDefinite(size: size) }
        (self.factor, self.size) = (factor, size)
    }

    /// The X of A·X = B.
    ///
    /// - Parameters:
    ///   - b: size × columns, row after row.
    ///   - columns: right-hand sides, at least 1.
    /// - Returns: laid out as `b`.
    package func solve(_ b: [Double], columns: Int = 1) throws(LinearAlgebraError) -> [Double] {
        precondition(columns > 0 && b.count == size * columns)
        // LAPACK's matrices are column-major.
        var solution = Self.transposed(b, rows: size, columns: columns)
        var (triangle, n, sides, info) = (Self.lower, Int32(size), Int32(columns), Int32(0))
        try BLAS.routines.dpotrs(&triangle, &n, &sides, factor, &n, &solution, &n, &info)
        return Self.transposed(solution, rows: columns, columns: size)
    }

    /// A⁻¹, size × size.
    package var inverse: [Double] {
        get throws(LinearAlgebraError) {
            var inverse = factor
            var (triangle, n, info) = (Self.lower, Int32(size), Int32(0))
            try BLAS.routines.dpotri(&triangle, &n, &inverse, &n, &info)
            guard info == 0 else { throw .notPositiveDefinite(size: size) }
            // The lower triangle of a column-major matrix is the upper one of ours.
            BLAS.mirrorUpperTriangle(of: &inverse, size: size)
            return inverse
        }
    }

    private static let lower = CChar(UInt8(ascii: "L"))

    private static func transposed(_ values: [Double], rows: Int, columns: Int) -> [Double] {
        guard columns > 1, rows > 1 else { return values }
        return [Double](unsafeUninitializedCapacity: values.count) { target, count in
            for row in 0..<rows {
                for column in 0..<columns { target[column * rows + row] = values[row * columns + column] }
            }
            count = values.count
        }
    }
}
