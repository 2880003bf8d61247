import Foundation
import TensorCore

/// A row-major array of Double, for references so plain that they can be read as the definition.
struct DoubleArray: Sendable {
    let shape: [Int]
    var values: [Double]

    init(_ shape: [Int], _ values: [Double]) {
        self.shape = shape
        self.values = values
    }

    init(zeros shape: [Int]) {
        self.init(shape, Array(repeating: 0, count: shape.reduce(1, *)))
    }

    var columns: Int { shape.last ?? 1 }
    var rows: Int { values.count / columns }

    subscript(_ row: Int, _ column: Int) -> Double {
        get { values[row * columns + column] }
        set { values[row * columns + column] = newValue }
    }

    subscript(_ b: Int, _ h: Int, _ w: Int, _ c: Int) -> Double {
        get { values[((b * shape[1] + h) * shape[2] + w) * shape[3] + c] }
        set { values[((b * shape[1] + h) * shape[2] + w) * shape[3] + c] = newValue }
    }

    func map(_ transform: (Double) -> Double) -> DoubleArray { DoubleArray(shape, values.map(transform)) }

    func adding(_ factor: Double, _ other: DoubleArray) -> DoubleArray {
        DoubleArray(shape, zip(values, other.values).map { $0 + factor * $1 })
    }

    var tensor: Tensor { Tensor(values.map { Float($0) }, shape: shape) }
}
