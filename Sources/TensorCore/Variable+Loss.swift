import CKernels
import Foundation

extension Variable {
    /// Mean over all elements of (self − target)²; a scalar. The sum is taken in double.
    public func meanSquaredError(to target: Tensor) -> Variable {
        precondition(shape == target.shape, "comparing \(shape) with \(target.shape)")
        let count = value.count
        let difference = Tensor(uninitialized: shape)
        dk_linear_combination(1, value.pointer, -1, target.pointer, count, difference.pointer, 0)
        let factor = 2 / Float(count)
        let loss = Float(dk_dot(difference.pointer, difference.pointer, count) / Double(count))
        let lossTangent = tangent.map {
            Tensor(scalar: Float(2 * dk_dot(difference.pointer, $0.pointer, count) / Double(count)))
        }
        let selfTangent = tangent
        return .result(Tensor(scalar: loss), tangent: lossTangent, of: [self]) { [adjoint] cotangent in
            let g = cotangent.value.scalar
            adjoint?.contribute { dk_linear_combination(factor * g, difference.pointer, 0, nil, count, $0, $1) }
            if let selfTangent {
                adjoint?.contributeTangent {
                    dk_linear_combination(factor * g, selfTangent.pointer, 0, nil, count, $0, $1)
                }
            }
            if let gTangent = cotangent.tangent?.scalar {
                adjoint?.contributeTangent {
                    dk_linear_combination(factor * gTangent, difference.pointer, 0, nil, count, $0, $1)
                }
            }
        }
    }

    /// Σ w·(self − target)² over all elements, of constant weights and targets; a scalar. The sum is taken in double.
    ///
    /// - Parameters:
    ///   - target: of the variable's shape.
    ///   - weights: w, of the same shape.
    public func weightedSquaredError(to target: Tensor, weights: Tensor) -> Variable {
        precondition(
            shape == target.shape && shape == weights.shape,
            "comparing \(shape) with \(target.shape), weighted by \(weights.shape)")
        let count = value.count
        let difference = Tensor(uninitialized: shape)
        dk_linear_combination(1, value.pointer, -1, target.pointer, count, difference.pointer, 0)
        func weighted(_ x: Tensor) -> Tensor {
            let result = Tensor(uninitialized: shape)
            dk_multiply(1, x.pointer, weights.pointer, count, result.pointer, 0)
            return result
        }
        let slope = weighted(difference)
        let loss = Float(dk_dot(difference.pointer, slope.pointer, count))
        let lossTangent = tangent.map { Tensor(scalar: Float(2 * dk_dot(slope.pointer, $0.pointer, count))) }
        let slopeTangent = tangent.map(weighted)
        return .result(Tensor(scalar: loss), tangent: lossTangent, of: [self]) { [adjoint] cotangent in
            let g = 2 * cotangent.value.scalar
            adjoint?.contribute { dk_linear_combination(g, slope.pointer, 0, nil, count, $0, $1) }
            if let slopeTangent {
                adjoint?.contributeTangent { dk_linear_combination(g, slopeTangent.pointer, 0, nil, count, $0, $1) }
            }
            if let gTangent = cotangent.tangent?.scalar {
                adjoint?.contributeTangent {
                    dk_linear_combination(2 * gTangent, slope.pointer, 0, nil, count, $0, $1)
                }
            }
        }
    }

    /// Mean cross-entropy of logits `[B, classes]` against class numbers; a scalar.
    public func crossEntropy(to labels: [Int]) -> Variable {
        precondition(shape.count == 2 && shape[0] == labels.count, "\(labels.count) labels for logits \(shape)")
        let classes = shape[1]
        precondition(labels.allSatisfy { $0 >= 0 && $0 < classes }, "label outside 0..<\(classes)")
        let probabilities = rowProbabilities
        var loss = 0.0
        for (row, label) in labels.enumerated() {
            loss -= log(max(Double(probabilities.pointer[row * classes + label]), 1e-38))
        }
        let residual = probabilities.copied()
        for (row, label) in labels.enumerated() { residual.pointer[row * classes + label] -= 1 }
        return crossEntropy(sum: loss, probabilities, residual: residual)
    }

    /// Mean cross-entropy −Σ q·ln p of logits `[B, classes]` against distributions q over the classes, constants; a
    /// scalar. Sums are taken in double.
    ///
    /// - Parameter targets: q, of the variable's shape, each row of sum 1.
    public func crossEntropy(toDistributions targets: Tensor) -> Variable {
        precondition(shape.count == 2 && shape == targets.shape, "targets \(targets.shape) for logits \(shape)")
        let (rows, classes) = (shape[0], shape[1])
        var loss = 0.0
        for row in 0..<rows {
            let (logits, wanted) = (value.pointer + row * classes, targets.pointer + row * classes)
            let largest = (0..<classes).reduce(-Float.infinity) { max($0, logits[$1]) }
            // ln p = z − max − ln Σ exp(z − max)
            let normalizer = log((0..<classes).reduce(0.0) { $0 + exp(Double(logits[$1] - largest)) })
            for k in 0..<classes where wanted[k] != 0 {
                loss -= Double(wanted[k]) * (Double(logits[k] - largest) - normalizer)
            }
        }
        let probabilities = rowProbabilities
        let residual = Tensor(uninitialized: shape)
        dk_linear_combination(1, probabilities.pointer, -1, targets.pointer, residual.count, residual.pointer, 0)
        return crossEntropy(sum: loss, probabilities, residual: residual)
    }

    /// The softmax of each row.
    private var rowProbabilities: Tensor {
        let probabilities = Tensor(uninitialized: shape)
        dk_softmax(value.pointer, 1, shape[0], shape[1], probabilities.pointer)
        return probabilities
    }

    /// - Parameters:
    ///   - loss: of all rows together.
    ///   - probabilities: p.
    ///   - residual: p − q, the gradient of the sum.
    private func crossEntropy(sum loss: Double, _ probabilities: Tensor, residual: Tensor) -> Variable {
        let (rows, classes) = (shape[0], shape[1])
        let residualTangent = tangent.map { tangent in
            let result = Tensor(uninitialized: shape)
            dk_softmax_backward(probabilities.pointer, tangent.pointer, 1, rows, classes, result.pointer, 0)
            return result
        }
        let lossTangent = tangent.map { tangent in
            Tensor(scalar: Float(dk_dot(residual.pointer, tangent.pointer, residual.count) / Double(rows)))
        }
        return .result(Tensor(scalar: Float(loss / Double(rows))), tangent: lossTangent, of: [self]) {
            [adjoint] cotangent in
            let g = cotangent.value.scalar / Float(rows)
            adjoint?.contribute { dk_linear_combination(g, residual.pointer, 0, nil, residual.count, $0, $1) }
            if let residualTangent {
                adjoint?.contributeTangent {
                    dk_linear_combination(g, residualTangent.pointer, 0, nil, residual.count, $0, $1)
                }
            }
            if let gTangent = cotangent.tangent?.scalar {
                let factor = gTangent / Float(rows)
                adjoint?.contributeTangent {
                    dk_linear_combination(factor, residual.pointer, 0, nil, residual.count, $0, $1)
                }
            }
        }
    }
}
