import Foundation
import TensorCore

/// The hard-concrete distribution: a gate in [0, 1] that is exactly 0 and exactly 1 with a probability that derivatives
/// reach.
///
///     s = σ((ln u − ln(1 − u) + ln α)/β)      z = clip(s·(ζ − γ) + γ, 0, 1)        u ~ U(0, 1)
///     P(z ≠ 0) = σ(ln α − β·ln(−γ/ζ))          ẑ = clip(σ(ln α)·(ζ − γ) + γ, 0, 1)
///
/// Based on: Louizos, Welling & Kingma, "Learning Sparse Neural Networks through L0 Regularization", ICLR 2018,
/// arXiv 1712.01312; the constants are theirs.
enum HardConcrete {
    static let gamma: Float = -0.1
    static let zeta: Float = 1.1
    static let beta: Float = 2.0 / 3.0

    /// z, of `logits` = ln α and as many u in (0, 1).
    static func gate(_ logits: Variable, uniform: [Float]) -> Variable {
        let noise = uniform.map { Foundation.log($0) - Foundation.log(1 - $0) }
        let sum = logits + Variable(Tensor(noise, shape: logits.shape))
        return stretched(sum.scaled(by: 1 / beta).applying(.sigmoid))
    }

    /// ẑ, the gate without noise.
    static func expectedGate(_ logits: Variable) -> Variable { stretched(logits.applying(.sigmoid)) }

    /// P(z ≠ 0).
    static func openProbability(_ logits: Variable) -> Variable {
        let shift = -beta * Foundation.log(-gamma / zeta)
        return (logits + Variable(constant(shift, shape: logits.shape))).applying(.sigmoid)
    }

    private static func stretched(_ s: Variable) -> Variable {
        let stretched = s.scaled(by: zeta - gamma) + Variable(constant(gamma, shape: s.shape))
        return stretched.applying(.clamp(low: 0, high: 1))
    }

    private static func constant(_ value: Float, shape: [Int]) -> Tensor {
        let tensor = Tensor(uninitialized: shape)
        tensor.fill(value)
        return tensor
    }
}
