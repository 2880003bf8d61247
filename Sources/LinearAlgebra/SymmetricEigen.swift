import COpenBLAS

/// Eigenvalues and eigenvectors of symmetric matrices in double precision, by LAPACK's divide and conquer.
package enum SymmetricEigen {
    /// - Parameters:
    ///   - matrix: n×n, only one triangle is read; replaced by the eigenvectors, one a column of the column-major
    ///     matrix (so one a row of n contiguous values), when `vectors` is true, else by rubbish.
    ///   - size: n ≥ 1.
    /// - Returns: n eigenvalues, ascending.
    /// - Throws: `LinearAlgebraError`.
    package static func decompose(_ matrix: inout [Double], size: Int, vectors: Bool) throws(LinearAlgebraError)
        -> [Double]
    {
        let routines = try BLAS.routines
        precondition(matrix.count == size * size)
        let job = CChar(UInt8(ascii: vectors ? "V" : "N"))
        let triangle = CChar(UInt8(ascii: "L"))
        var values = [Double](repeating: 0, count: size)
        let n = Int32(size)
        var info: Int32 = 0

        var workSize = 0.0
        var integerWorkSize: Int32 = 0
        withUnsafePointers(job, triangle, n) { job, triangle, n in
            var query: Int32 = -1
            var integerQuery: Int32 = -1
            routines.dsyevd(
                job, triangle, n, &matrix, n, &values, &workSize, &query, &integerWorkSize, &integerQuery, &info)
        }
        guard info == 0 else { throw .didNotConverge(routine: "dsyevd", info: Int(info)) }

        var work = [Double](repeating: 0, count: max(1, Int(workSize)))
        var integerWork = [Int32](repeating: 0, count: max(1, Int(integerWorkSize)))
        withUnsafePointers(job, triangle, n) { job, triangle, n in
            var length = Int32(work.count)
            var integerLength = Int32(integerWork.count)
            routines.dsyevd(
                job, triangle, n, &matrix, n, &values, &work, &length, &integerWork, &integerLength, &info)
        }
        guard info == 0 else { throw .didNotConverge(routine: "dsyevd", info: Int(info)) }
        return values
    }

    private static func withUnsafePointers(
        _ job: CChar, _ triangle: CChar, _ n: Int32,
        _ body: (UnsafePointer<CChar>, UnsafePointer<CChar>, UnsafePointer<Int32>) -> Void
    ) {
        withUnsafePointer(to: job) { job in
            withUnsafePointer(to: triangle) { triangle in
                withUnsafePointer(to: n) { n in body(job, triangle, n) }
            }
        }
    }
}
