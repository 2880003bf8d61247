import CKernels

/// Products of matrices in memory.
package enum MatrixProduct {
    /// C (+)= op(A)·op(B) for one matrix problem.
    package static func compute(
        _ a: UnsafePointer<Float>, rows: Int, inner: Int, lda: Int, transposeA: Bool = false, _ b: UnsafePointer<Float>,
        columns: Int, ldb: Int, transposeB: Bool = false, into c: UnsafeMutablePointer<Float>, ldc: Int,
        bias: UnsafePointer<Float>? = nil, accumulate: Int32, batch: Int = 1, strideA: Int = 0, strideB: Int = 0,
        strideC: Int = 0
    ) {
        var problem = dk_gemm_problem(
            m: rows, n: columns, k: inner, a: a, lda: lda, transpose_a: transposeA ? 1 : 0, b: b, ldb: ldb,
            transpose_b: transposeB ? 1 : 0, c: c, ldc: ldc, bias: bias, accumulate: accumulate, batch: batch,
            stride_a: strideA, stride_b: strideB, stride_c: strideC, packed_b: nil)
        dk_gemm(&problem)
    }
}
