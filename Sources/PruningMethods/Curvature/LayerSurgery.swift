import Layers
import LinearAlgebra
import Pruning
import TensorCore

/// One layer's quadratic error, and what parts of the layer are worth by it.
struct LayerSurgery {
    /// Numbers in a patch, a bias's 1 among them.
    private let width: Int
    private let hasBias: Bool
    /// H, width × width.
    private let curvature: [Double]
    /// H·w, width × outputs.
    private var products: [Double]
    private let outputs: Int
    private let inputs: Int
    /// ω of each output.
    private let importance: [Double]

    /// - Parameters:
    ///   - layer: with moments.
    ///   - weight: the layer's.
    ///   - information: the diagonal of the Fisher information, laid out as `weight`.
    ///   - damping: λ over the mean diagonal.
    init(_ layer: InputPatches.Layer, weight: Parameter, information: [Float], damping: Double) throws {
        let shape = weight.variable.shape
        (inputs, outputs) = (shape[shape.count - 2], shape[shape.count - 1])
        width = layer.width
        hasBias = layer.bias != nil
        let read = weight.count / max(outputs, 1)
        let trace = (0..<read).reduce(0) { $0 + layer.moments[$1 * layer.width + $1] }
        var sums = [Double](repeating: 0, count: outputs)
        for (index, value) in information.enumerated() { sums[index % outputs] += Double(value) }
        importance = sums.map { trace > 0 ? $0 / trace : 0 }
        curvature = Self.damped(layer.moments, width: layer.width, by: damping)
        let values = (weight.variable.value.array + (layer.bias?.variable.value.array ?? [])).map(Double.init)
        products = Array(repeating: 0, count: width * outputs)
        try BLAS.multiply(curvature, by: values, rows: width, inner: width, columns: outputs, into: &products)
    }

    /// M + λI, λ being a share of the mean diagonal; I where that is nothing.
    static func damped(_ moments: [Double], width: Int, by damping: Double) -> [Double] {
        let trace = (0..<width).reduce(0) { $0 + moments[$1 * width + $1] }
        var damped = moments
        let lambda = trace > 0 ? damping * trace / Double(width) : 1
        for index in 0..<width { damped[index * width + index] += lambda }
        return damped
    }

    /// The part of a square matrix that belongs to some of its rows and columns.
    static func part(_ matrix: [Double], width: Int, _ positions: [Int]) -> [Double] {
        var part: [Double] = []
        part.reserveCapacity(positions.count * positions.count)
        for row in positions { for column in positions { part.append(matrix[row * width + column]) } }
        return part
    }

    /// What the error rises by when some input channels leave together with all their taps: 0 of those that have left.
    ///
    /// - Parameters:
    ///   - units: input channels that leave together, each with one score.
    ///   - left: what has not left yet.
    func scores(ofChannels units: [[Int]], _ left: PatchMask) throws -> [Double] {
        var scores = [Double](repeating: 0, count: units.count)
        let read = left.positions(of: 0)
        guard !read.isEmpty, !left.liveOutputs.isEmpty else { return scores }
        let positions = read + (hasBias ? [width - 1] : [])
        let factor = try Cholesky(Self.part(curvature, width: width, positions), size: positions.count)
        let inverse = try factor.inverse
        let live = left.liveOutputs
        var right: [Double] = []
        for position in positions { right += live.map { products[position * outputs + $0] } }
        let weights = try factor.solve(right, columns: live.count)
        var taps: [Int: [Int]] = [:]
        for (number, position) in read.enumerated() { taps[position % inputs, default: []].append(number) }
        for (unit, channels) in units.enumerated() {
            let members = channels.flatMap { taps[$0] ?? [] }
            guard !members.isEmpty else { continue }
            let block = try Cholesky(Self.part(inverse, width: positions.count, members), size: members.count)
            let own = members.flatMap { weights[($0 * live.count)..<(($0 + 1) * live.count)] }
            let solved = try block.solve(own, columns: live.count)
            for index in own.indices {
                scores[unit] += 0.5 * importance[live[index % live.count]] * own[index] * solved[index]
            }
        }
        return scores
    }

    /// What the error rises by when each weight leaves, laid out as the weight: 0 of those that have left.
    func weightScores(_ left: PatchMask) throws -> [Double] {
        var scores = [Double](repeating: 0, count: left.width * outputs)
        // As long as nothing has left, all rows are left the same.
        let shared = left.isCut ? nil : try Row(self, left.positions(of: 0))
        for output in 0..<outputs {
            let positions = left.positions(of: output)
            guard !positions.isEmpty else { continue }
            let row = try shared ?? Row(self, positions)
            let weights = try row.factor.solve(row.positions.map { products[$0 * outputs + output] })
            for (number, position) in positions.enumerated() {
                scores[position * outputs + output] =
                    0.5 * importance[output] * weights[number] * weights[number] / row.diagonal[number]
            }
        }
        return scores
    }

    /// H_PP of one row.
    private struct Row {
        /// P, a bias among them.
        let positions: [Int]
        let factor: Cholesky
        /// Of H_PP⁻¹.
        let diagonal: [Double]

        init(_ surgery: LayerSurgery, _ read: [Int]) throws {
            positions = read + (surgery.hasBias ? [surgery.width - 1] : [])
            let size = positions.count
            factor = try Cholesky(LayerSurgery.part(surgery.curvature, width: surgery.width, positions), size: size)
            let inverse = try factor.inverse
            diagonal = (0..<size).map { inverse[$0 * size + $0] }
        }
    }
}
