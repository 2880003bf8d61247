import CKernels
import TensorCore

/// Brings the singular values of matrices near 1 and keeps their singular vectors: X = U·S·Vᵀ becomes about U·Vᵀ.
///
///     X ← G / ‖G‖_F;   five times:  A = XXᵀ,   X ← a·X + (b·A + c·A²)·X
///
/// with (a, b, c) = (3.4445, −4.7750, 2.0315). Each round applies the odd polynomial a·s + b·s³ + c·s⁵ to every
/// singular value. The polynomial is steep at 0 and does not settle at 1: singular values from 0.005 on end between
/// 0.68 and 1.16, which serves an optimiser as well as 1 itself and takes fewer rounds. Singular values of 0 stay 0:
/// rows and columns of zeros stay zeros.
///
/// Based on: Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024 (the coefficients).
struct NewtonSchulz {
    static let rounds = 5
    private static let (a, b, c): (Float, Float, Float) = (3.4445, -4.7750, 2.0315)

    /// Scratch: X and its next value, A, and the polynomial's value.
    private let (x, next, gram, factor): (Tensor, Tensor, Tensor, Tensor)

    /// - Parameters:
    ///   - count: elements of the largest matrix that is to come.
    ///   - side: the largest of the matrices' smaller sides.
    init(largest count: Int, side: Int) {
        (x, next) = (Tensor(zeros: [count]), Tensor(zeros: [count]))
        (gram, factor) = (Tensor(zeros: [side * side]), Tensor(zeros: [side * side]))
    }

    /// Adds `scale` times the orthogonalised matrix to `target`; nothing where the matrix is zero.
    ///
    /// - Parameters:
    ///   - matrix: G, row-major, rows × columns.
    ///   - rows: of G.
    ///   - columns: of G.
    ///   - scale: of what is added.
    ///   - target: laid out as G.
    func add(
        _ matrix: UnsafePointer<Float>, rows: Int, columns: Int, times scale: Float,
        to target: UnsafeMutablePointer<Float>
    ) {
        let count = rows * columns
        let norm = dk_dot(matrix, matrix, count).squareRoot()
        guard norm > 0 else { return }
        let isTall = rows > columns
        let (side, length) = (min(rows, columns), max(rows, columns))
        var (current, other) = (x.pointer, next.pointer)
        let (gram, factor) = (gram.pointer, factor.pointer)
        let unit = Float(1 / norm)
        for index in 0..<count { current[index] = matrix[index] * unit }
        for _ in 0..<Self.rounds {
            // A of the smaller side: XᵀX of a tall matrix, whose polynomial then stands on the right.
            MatrixProduct.compute(
                current, rows: side, inner: length, lda: columns, transposeA: isTall, current, columns: side,
                ldb: columns, transposeB: !isTall, into: gram, ldc: side, accumulate: 0)
            MatrixProduct.compute(
                gram, rows: side, inner: side, lda: side, gram, columns: side, ldb: side, into: factor, ldc: side,
                accumulate: 0)
            for index in 0..<(side * side) { factor[index] = Self.b * gram[index] + Self.c * factor[index] }
            for index in 0..<side { factor[index * (side + 1)] += Self.a }
            if isTall {
                MatrixProduct.compute(
                    current, rows: rows, inner: side, lda: side, factor, columns: side, ldb: side, into: other,
                    ldc: side, accumulate: 0)
            } else {
                MatrixProduct.compute(
                    factor, rows: side, inner: side, lda: side, current, columns: columns, ldb: columns, into: other,
                    ldc: columns, accumulate: 0)
            }
            swap(&current, &other)
        }
        for index in 0..<count { target[index] += scale * current[index] }
    }
}
