import COpenBLAS

/// Products of dense row-major matrices in double precision, by OpenBLAS on the calling thread.
package enum BLAS {
    /// OpenBLAS would start a thread pool of its own beside ours; evaluated once, before the first call into it.
    static let isSingleThreaded: Void = openblas_set_num_threads(1)

    /// C ← op(A)·op(B) + beta·C, with op(A) rows × inner and op(B) inner × columns.
    ///
    /// - Precondition: each array holds as many elements as its matrix.
    package static func multiply(
        _ a: [Double], transposed transposesA: Bool = false, by b: [Double], otherTransposed transposesB: Bool = false,
        rows: Int, inner: Int, columns: Int, beta: Double = 0, into c: inout [Double]
    ) {
        precondition(a.count == rows * inner && b.count == inner * columns && c.count == rows * columns)
        _ = isSingleThreaded
        cblas_dgemm(
            CblasRowMajor, transposesA ? CblasTrans : CblasNoTrans, transposesB ? CblasTrans : CblasNoTrans,
            Int32(rows), Int32(columns), Int32(inner), 1, a, Int32(transposesA ? rows : inner), b,
            Int32(transposesB ? inner : columns), beta, &c, Int32(columns))
    }

    /// A ← A + factor·x·xᵀ, A square of x's length.
    ///
    /// - Precondition: A holds x.count² elements.
    package static func addOuterProduct(of x: [Double], times factor: Double, to a: inout [Double]) {
        precondition(a.count == x.count * x.count)
        _ = isSingleThreaded
        let size = Int32(x.count)
        cblas_dger(CblasRowMajor, size, size, factor, x, 1, x, 1, &a, size)
    }
}
