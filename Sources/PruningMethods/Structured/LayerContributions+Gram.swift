import LinearAlgebra
import Pruning

extension LayerContributions.Value {
    /// Σ over consumers of x̂ᵀx̂ of the axis's channels, each relative to Σ y² of the consumer;
    /// zero where nothing reads.
    func gram(of group: PrunableGroup) throws -> [Double] {
        let width = group.width
        var gram = [Double](repeating: 0, count: width * width)
        for consumer in group.consumers {
            guard let layer = self[consumer.parameter], layer.count > 0 else { continue }
            let energy = layer.outputs.reduce(0) { $0 + $1 * $1 }
            guard energy > 0 else { continue }
            let scale = 1 / energy.squareRoot()
            var columns: [Double] = []
            columns.reserveCapacity(layer.count * width)
            for sample in 0..<layer.count {
                let start = sample * layer.width + consumer.offset
                columns += layer.contributions[start..<(start + width)].map { $0 * scale }
            }
            try BLAS.multiply(
                columns, transposed: true, by: columns, rows: width, inner: layer.count, columns: width, beta: 1,
                into: &gram)
        }
        return gram
    }
}
