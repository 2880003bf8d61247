import COpenBLAS

/// Products of dense row-major matrices in double precision, by OpenBLAS on the calling thread.
package enum BLAS {
    private static let loaded: Result<openblas_routines, LinearAlgebraError> = {
        var routines = openblas_routines()
        guard let problem = openblas_load(&routines) else { return .success(routines) }
        return .failure(.unavailable(reason: String(cString: problem)))
    }()

    /// The library's routines; the first call loads it.
    /// - Throws: `LinearAlgebraError.unavailable`.
    static var routines: openblas_routines {
        get throws(LinearAlgebraError) { try loaded.get() }
    }

    /// Finds out before any work whether what is here can be called.
    /// - Throws: `LinearAlgebraError.unavailable`.
    package static func prepare() throws(LinearAlgebraError) { _ = try routines }

    /// C ← op(A)·op(B) + beta·C, with op(A) rows × inner and op(B) inner × columns.
    ///
    /// - Throws: `LinearAlgebraError.unavailable`.
    /// - Precondition: each array holds as many elements as its matrix.
    package static func multiply(
        _ a: [Double], transposed transposesA: Bool = false, by b: [Double], otherTransposed transposesB: Bool = false,
        rows: Int, inner: Int, columns: Int, beta: Double = 0, into c: inout [Double]
    ) throws(LinearAlgebraError) {
        precondition(a.count == rows * inner && b.count == inner * columns && c.count == rows * columns)
        try routines.dgemm(
            order, transposesA ? transpose : noTranspose, transposesB ? transpose : noTranspose, Int32(rows),
            Int32(columns),
            Int32(inner), 1, a, Int32(transposesA ? rows : inner), b, Int32(transposesB ? inner : columns), beta, &c,
            Int32(columns))
    }

    /// The upper triangle of G ← factor·XᵀX + G, G square of X's columns; what is below the diagonal is left.
    ///
    /// - Throws: `LinearAlgebraError.unavailable`.
    /// - Precondition: each array holds as many elements as its matrix.
    package static func addGram(
        of x: [Double], rows: Int, columns: Int, times factor: Double = 1, to gram: inout [Double]
    ) throws(LinearAlgebraError) {
        precondition(x.count == rows * columns && gram.count == columns * columns)
        try routines.dsyrk(
            order, Int32(openblas_upper), transpose, Int32(columns), Int32(rows), factor, x, Int32(columns), 1, &gram,
            Int32(columns))
    }

    /// Copies what is above the diagonal of a square matrix below it.
    package static func mirrorUpperTriangle(of matrix: inout [Double], size: Int) {
        precondition(matrix.count == size * size)
        for row in 1..<max(size, 1) {
            for column in 0..<row { matrix[row * size + column] = matrix[column * size + row] }
        }
    }

    /// A ← A + factor·x·xᵀ, A square of x's length.
    ///
    /// - Throws: `LinearAlgebraError.unavailable`.
    /// - Precondition: A holds x.count² elements.
    package static func addOuterProduct(
        of x: [Double], times factor: Double, to a: inout [Double]
    ) throws(LinearAlgebraError) {
        precondition(a.count == x.count * x.count)
        let size = Int32(x.count)
        try routines.dger(order, size, size, factor, x, 1, x, 1, &a, size)
    }

    private static let order = Int32(openblas_row_major)
    private static let noTranspose = Int32(openblas_no_transpose)
    private static let transpose = Int32(openblas_transpose)
}
