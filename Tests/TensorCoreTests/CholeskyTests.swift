import LinearAlgebra
import TestSupport
import Testing

/// Symmetric positive definite systems.
@Suite struct CholeskyTests {
    /// [4 2; 2 3]: the inverse is [3 −2; −2 4]/8.
    @Test func twoByTwoByHand() throws {
        let factor = try Cholesky([4, 2, 2, 3], size: 2)
        #expect(zip(try factor.inverse, [0.375, -0.25, -0.25, 0.5]).allSatisfy { close($0, $1, 1e-14) })
        #expect(zip(try factor.solve([8, 16, 8, 0], columns: 2), [1, 6, 2, -4]).allSatisfy { close($0, $1, 1e-14) })
    }

    @Test func aMatrixThatIsNotPositiveDefiniteIsAnError() {
        #expect(throws: LinearAlgebraError.notPositiveDefinite(size: 2)) { try Cholesky([1, 2, 2, 1], size: 2) }
        #expect(throws: LinearAlgebraError.notPositiveDefinite(size: 2)) { try Cholesky([.nan, 0, 0, 1], size: 2) }
    }

    @Test(arguments: [1, 3, 40]) func solvesAndInverts(size: Int) throws {
        // Diagonally dominant.
        var matrix = [Double](repeating: 0, count: size * size)
        for row in 0..<size {
            for column in 0..<size {
                matrix[row * size + column] = row == column ? Double(size) + 1 : 1 / Double(1 + abs(row - column))
            }
        }
        let factor = try Cholesky(matrix, size: size)
        let inverse = try factor.inverse
        let solution = try factor.solve((0..<size).map { Double($0) - 2 })
        for row in 0..<size {
            for column in 0..<size {
                let product = (0..<size).reduce(0) { $0 + matrix[row * size + $1] * inverse[$1 * size + column] }
                #expect(close(product, row == column ? 1 : 0, 1e-12))
            }
            let product = (0..<size).reduce(0) { $0 + matrix[row * size + $1] * solution[$1] }
            #expect(close(product, Double(row) - 2, 1e-12))
        }
    }
}
