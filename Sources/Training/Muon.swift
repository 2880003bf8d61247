import Layers
import TensorCore

/// Momentum, orthogonalised: every matrix of weights moves by all its directions alike.
///
///     M ← μ·M + G        U = G + μ·M        W ← W − lr·(0.2·√max(rows, columns)·orth(U) + decay·W)
///
/// for the weights of convolutions and linear layers, a convolution's taps and inputs being rows and its outputs
/// columns; all other parameters go by AdamW with the same learning rate. orth: `NewtonSchulz`. The factor brings the
/// root mean square of a step to about 0.2, which is that of AdamW's: rates that suit AdamW suit it.
///
/// Based on: Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024; Liu et al., "Muon is
/// Scalable for LLM Training", 2025, arXiv 2502.16982 (decay, and the factor).
///
/// Differs from the papers: first and last layers are matrices as all others, since a network does not say which they
/// are.
struct Muon {
    private let configuration: OptimizerConfiguration
    private let arena: ParameterArena
    private let matrices: [(range: Range<Int>, rows: Int, columns: Int)]
    /// The runs of the arena between the matrices.
    let others: [Range<Int>]
    private let orthogonalization: NewtonSchulz
    private let direction: Tensor

    init(_ configuration: OptimizerConfiguration, arena: ParameterArena) {
        (self.configuration, self.arena) = (configuration, arena)
        matrices = zip(arena.parameters, arena.ranges).compactMap { parameter, range in
            guard Self.takes(parameter), let columns = parameter.variable.shape.last, columns > 0 else { return nil }
            return (range, range.count / columns, columns)
        }
        var (others, start) = ([Range<Int>](), 0)
        for matrix in matrices {
            if start < matrix.range.lowerBound { others.append(start..<matrix.range.lowerBound) }
            start = matrix.range.upperBound
        }
        if start < arena.trainedCount { others.append(start..<arena.trainedCount) }
        self.others = others
        let largest = matrices.map(\.range.count).max() ?? 0
        orthogonalization = NewtonSchulz(largest: largest, side: matrices.map { min($0.rows, $0.columns) }.max() ?? 0)
        direction = Tensor(zeros: [largest])
    }

    /// Whether `parameter` is a matrix to it.
    static func takes(_ parameter: Parameter) -> Bool { parameter.layout != .plain }

    /// - Parameters:
    ///   - momentum: M, laid out as the arena.
    ///   - learningRate: lr.
    ///   - gradientScale: what gradients are multiplied by first.
    func update(momentum: Tensor, learningRate: Double, gradientScale: Float) {
        let keep = Float(configuration.momentum)
        let shrink = Float(1 - learningRate * configuration.weightDecay)
        let direction = direction.pointer
        for (range, rows, columns) in matrices {
            let (moments, gradients) = (momentum.pointer + range.lowerBound, arena.gradients.pointer + range.lowerBound)
            let values = arena.values.pointer + range.lowerBound
            for index in 0..<range.count {
                let gradient = gradients[index] * gradientScale
                moments[index] = keep * moments[index] + gradient
                direction[index] = gradient + keep * moments[index]
                values[index] *= shrink
            }
            let size = 0.2 * Double(max(rows, columns)).squareRoot()
            orthogonalization.add(
                direction, rows: rows, columns: columns, times: Float(-learningRate * size), to: values)
        }
    }
}
