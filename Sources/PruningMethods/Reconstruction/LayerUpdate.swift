import Layers
import LinearAlgebra
import Pruning
import TensorCore

/// The weights with which what is left of a layer says what all of it said.
struct LayerUpdate {
    private let width: Int
    private let outputs: Int
    /// E[p̂ᵀp̂], width × width.
    private let moments: [Double]
    /// E[p̂ᵀy], width × outputs.
    private let products: [Double]
    private let lambda: Double
    private let bias: Parameter?

    /// - Parameters:
    ///   - layer: with its patches p̂.
    ///   - outputs: y, patch after patch.
    ///   - damping: λ over the mean diagonal of E[p̂ᵀp̂].
    init(_ layer: InputPatches.Layer, outputs: [Double], damping: Double) throws {
        try self.init(
            patches: layer.patches, width: layer.width, bias: layer.bias, outputs: outputs, damping: damping)
    }

    init(patches: [Float], width: Int, bias: Parameter?, outputs: [Double], damping: Double) throws {
        let count = patches.count / width
        self.width = width
        self.bias = bias
        self.outputs = outputs.count / count
        var moments = [Double](repeating: 0, count: width * width)
        var products = [Double](repeating: 0, count: width * self.outputs)
        // In pieces, so that there is no second copy of all patches.
        let piece = 1024
        for start in stride(from: 0, to: count, by: piece) {
            let end = min(start + piece, count)
            let part = patches[(start * width)..<(end * width)].map { Double($0) / Double(count).squareRoot() }
            let target = outputs[(start * self.outputs)..<(end * self.outputs)].map { $0 / Double(count).squareRoot() }
            try BLAS.addGram(of: part, rows: end - start, columns: width, to: &moments)
            try BLAS.multiply(
                part, transposed: true, by: target, rows: width, inner: end - start, columns: self.outputs, beta: 1,
                into: &products)
        }
        BLAS.mirrorUpperTriangle(of: &moments, size: width)
        let trace = (0..<width).reduce(0) { $0 + moments[$1 * width + $1] }
        lambda = trace > 0 ? damping * trace / Double(width) : 1
        self.moments = moments
        self.products = products
    }

    /// Writes what is left of the weights and the biases; what has left stays as it is.
    func apply(to weight: Parameter, _ left: PatchMask) throws {
        let rows = try rows(of: weight, left)
        weight.variable.value.assign(Tensor(Array(rows[..<weight.count]), shape: weight.variable.shape))
        bias?.variable.value.assign(Tensor(Array(rows[weight.count...]), shape: [outputs]))
    }

    /// The weights with those of what is left updated, laid out as `weight`, the biases behind them.
    func rows(of weight: Parameter, _ left: PatchMask) throws -> [Float] {
        var rows = (weight.variable.value.array + (bias?.variable.value.array ?? [])).map(Double.init)
        if left.isShared {
            try solve(left.liveOutputs, left.positions(of: 0), &rows)
        } else {
            for output in left.liveOutputs { try solve([output], left.positions(of: output), &rows) }
        }
        return rows.map { Float($0) }
    }

    /// (M_PP + λI)·w′ = E[p̂_Pᵀy] + λ·w_P of some outputs.
    private func solve(_ live: [Int], _ read: [Int], _ rows: inout [Double]) throws {
        let positions = read + (bias == nil ? [] : [width - 1])
        guard !positions.isEmpty, !live.isEmpty else { return }
        var matrix = LayerSurgery.part(moments, width: width, positions)
        for number in positions.indices { matrix[number * positions.count + number] += lambda }
        var right: [Double] = []
        for position in positions {
            right += live.map { products[position * outputs + $0] + lambda * rows[position * outputs + $0] }
        }
        let solution = try Cholesky(matrix, size: positions.count).solve(right, columns: live.count)
        for (number, position) in positions.enumerated() {
            for (column, output) in live.enumerated() {
                rows[position * outputs + output] = solution[number * live.count + column]
            }
        }
    }
}
