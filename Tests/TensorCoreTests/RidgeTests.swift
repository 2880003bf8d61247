import LinearAlgebra
import TestSupport
import Testing

/// Least squares held near a prior.
@Suite struct RidgeTests {
    /// With A = 2·I and λ = 4·penalty: x = (2·b + λ·prior) / (4 + λ).
    @Test(arguments: [1e-6, 0.1, 10.0]) func aDiagonalByHand(penalty: Double) throws {
        let ridge = try Ridge([2, 0, 0, 2], rows: 2, columns: 2, penalty: penalty)
        let (b, prior) = ([1.0, -2, 3, 4, 5, -6], [0.5, 1, 0, -1, 2, 2])
        let expected = zip(b, prior).map { (2 * $0 + 4 * penalty * $1) / (4 + 4 * penalty) }
        #expect(zip(try ridge.solve(b, near: prior, outputs: 3), expected).allSatisfy { close($0, $1, 1e-12) })
    }

    /// Two equal columns share what one would explain; the part of the prior that no row sees stays.
    @Test func whatRowsDoNotTellApartStaysAsItWas() throws {
        let ridge = try Ridge([1, 1, 2, 2, -1, -1], rows: 3, columns: 2, penalty: 1e-9)
        let x = try ridge.solve([4, 8, -4], near: [3, 0], outputs: 1)
        #expect(close(x[0], 3.5, 1e-6) && close(x[1], 0.5, 1e-6))
    }
}
