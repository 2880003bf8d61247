/// Least squares in double precision held near what is known already, for many right-hand sides.
package struct Ridge {
    private let a: [Double]
    private let rows: Int
    private let columns: Int
    /// Of AᵀA: eigenvectors, one a row, and what the products with them are divided by.
    private let vectors: [Double]
    private let divisors: [Double]

    /// - Parameters:
    ///   - a: rows × columns, row after row.
    ///   - penalty: λ over the mean square norm of a column.
    /// - Throws: `LinearAlgebraError`.
    /// - Precondition: a holds rows × columns values, at least one.
    package init(_ a: [Double], rows: Int, columns: Int, penalty: Double) throws(LinearAlgebraError) {
        (self.a, self.rows, self.columns) = (a, rows, columns)
        var gram = [Double](repeating: 0, count: columns * columns)
        try BLAS.multiply(a, transposed: true, by: a, rows: columns, inner: rows, columns: columns, into: &gram)
        let trace = (0..<columns).reduce(0) { $0 + gram[$1 * columns + $1] }
        let values = try SymmetricEigen.decompose(&gram, size: columns, vectors: true)
        vectors = gram
        let lambda = max(penalty * trace / Double(columns), .leastNormalMagnitude)
        divisors = values.map { max($0, 0) + lambda }
    }

    /// The X that makes ‖A·X − B‖² + λ·‖X − prior‖² smallest.
    ///
    /// - Parameters:
    ///   - b: rows × outputs.
    ///   - prior: columns × outputs.
    ///   - outputs: right-hand sides.
    /// - Returns: columns × outputs.
    /// - Throws: `LinearAlgebraError`.
    package func solve(_ b: [Double], near prior: [Double], outputs: Int) throws(LinearAlgebraError) -> [Double] {
        var residual = b.map { -$0 }
        try BLAS.multiply(a, by: prior, rows: rows, inner: columns, columns: outputs, beta: 1, into: &residual)
        var products = [Double](repeating: 0, count: columns * outputs)
        try BLAS.multiply(
            a, transposed: true, by: residual, rows: columns, inner: rows, columns: outputs, into: &products)
        var turned = products
        try BLAS.multiply(vectors, by: products, rows: columns, inner: columns, columns: outputs, into: &turned)
        for index in turned.indices { turned[index] /= -divisors[index / outputs] }
        var solution = prior
        try BLAS.multiply(
            vectors, transposed: true, by: turned, rows: columns, inner: columns, columns: outputs, beta: 1,
            into: &solution)
        return solution
    }
}
