import Layers
import Pruning

/// A file of 4 bytes an element and, for each tensor that is there, a word and the digits of its extents.
struct PlainStorage: WeightStorage {
    let elementBytes: [Int]

    init(_ parameters: [Parameter]) { elementBytes = parameters.map { _ in 4 } }

    func overhead(of shapes: [[Int]]) -> Int {
        shapes.filter { !$0.contains(0) }.reduce(0) { $0 + 8 + $1.reduce(0) { $0 + "\($1)".count } }
    }

    func compactOverhead(of shapes: [[Int]], isCompact: [Bool]) -> Int {
        zip(shapes, isCompact).reduce(overhead(of: shapes)) {
            let count = $1.0.reduce(1, *)
            return $0 + ($1.1 ? (count + 7) / 8 : 4 * count)
        }
    }
}
