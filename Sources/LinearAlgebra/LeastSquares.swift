import COpenBLAS

/// Least squares in double precision, by LAPACK's singular value decomposition.
package enum LeastSquares {
    /// The x of smallest norm that makes |A·x − b| smallest; A may have any rank.
    ///
    /// - Parameters:
    ///   - a: rows × columns, row after row.
    ///   - b: one value a row.
    ///   - tolerance: singular values below this share of the largest count as zero.
    /// - Returns: one value a column.
    /// - Throws: `LinearAlgebraError`.
    /// - Precondition: a holds rows × columns values, b rows; both at least 1.
    package static func solve(
        _ a: [Double], rows: Int, columns: Int, _ b: [Double], tolerance: Double = 1e-7
    ) throws(LinearAlgebraError) -> [Double] {
        precondition(rows > 0 && columns > 0 && a.count == rows * columns && b.count == rows)
        let routines = try BLAS.routines
        // LAPACK's matrices are column-major.
        var matrix = [Double](repeating: 0, count: rows * columns)
        for row in 0..<rows {
            for column in 0..<columns { matrix[column * rows + row] = a[row * columns + column] }
        }
        let longer = max(rows, columns)
        var solution = b + [Double](repeating: 0, count: longer - rows)
        var singular = [Double](repeating: 0, count: min(rows, columns))
        var (m, n, sides, leading, longest) = (Int32(rows), Int32(columns), Int32(1), Int32(rows), Int32(longer))
        var (condition, rank, info) = (tolerance, Int32(0), Int32(0))

        var (workSize, integerWorkSize, query) = (0.0, Int32(0), Int32(-1))
        routines.dgelsd(
            &m, &n, &sides, &matrix, &leading, &solution, &longest, &singular, &condition, &rank, &workSize, &query,
            &integerWorkSize, &info)
        guard info == 0 else { throw .didNotConverge(routine: "dgelsd", info: Int(info)) }
        var work = [Double](repeating: 0, count: max(1, Int(workSize)))
        var integerWork = [Int32](repeating: 0, count: max(1, Int(integerWorkSize)))
        var length = Int32(work.count)
        routines.dgelsd(
            &m, &n, &sides, &matrix, &leading, &solution, &longest, &singular, &condition, &rank, &work, &length,
            &integerWork, &info)
        guard info == 0 else { throw .didNotConverge(routine: "dgelsd", info: Int(info)) }
        return Array(solution[..<columns])
    }
}
