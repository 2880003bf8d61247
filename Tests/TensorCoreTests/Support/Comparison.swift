import TensorCore
import Testing

/// Expects every element of `got` within `tolerance` × the largest magnitude of `expected` (or `floor`, where the
/// expected values are all tiny).
func expectClose(
    _ got: [Float], _ expected: [Double], tolerance: Double, floor: Double = 1e-3, _ what: String,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    guard got.count == expected.count else {
        Issue.record("\(what): \(got.count) values, expected \(expected.count)", sourceLocation: sourceLocation)
        return
    }
    let scale = max(expected.reduce(0) { max($0, abs($1)) }, floor)
    var worst = (index: 0, error: 0.0)
    for (index, (a, b)) in zip(got, expected).enumerated() {
        let error = abs(Double(a) - b)
        if !(error <= worst.error) { worst = (index, error) }
    }
    let value = got.isEmpty ? 0 : got[worst.index]
    #expect(
        worst.error <= tolerance * scale,
        "\(what): element \(worst.index) is \(value), off by \(worst.error), scale \(scale)",
        sourceLocation: sourceLocation)
}

extension Variable {
    /// Σ c·self, a scalar to differentiate.
    func weightedSum(_ weights: Tensor) -> Variable {
        reshaped([1, value.count]).linear(Variable(weights.reshaped([value.count, 1])))
    }
}

extension Tensor {
    var doubles: [Double] { array.map(Double.init) }
}
