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
