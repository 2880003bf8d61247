import Foundation

/// One step of an energy's gradient flow in sparse space (SpODE).
///
/// With e = −∂E/∂m the direction in which the energy falls and g = −∂G/∂m the one in which the density G falls,
/// the step
///
///     δ = x·e + y·g      x = √((r² − 1)/(|g|²|e|² − ⟨g,e⟩²))      y = (1 − x⟨g,e⟩)/|g|²
///
/// satisfies ⟨g, δ⟩ = 1, so that the density falls at unit rate on the flow's own clock, and |δ|·|g| = r, so that r ≥ 1
/// says how much of the motion follows the energy beside the density. Where e and g are parallel, δ = g/|g|².
///
/// Masks of expensive and cheap channels are made comparable by taking gradients in the metric of their costs p_k: then
/// e_k becomes −∂E/∂m_k / p_k, what the energy gains for the cost spent, and g the same for all.
///
/// Based on: Mo et al., "Pruning-based ... Sparse Ordinary Differential Equation" (SpODE), ICML 2023.
struct SparseFlow {
    /// r.
    let ratio: Double

    /// - Parameter metric: weights p of the inner product ⟨a, b⟩ = Σ p·a·b; all one when nil.
    func direction(energy e: [Double], density g: [Double], metric: [Double]? = nil) -> [Double] {
        func dot(_ a: [Double], _ b: [Double]) -> Double {
            guard let metric else { return zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
            return a.indices.reduce(0) { $0 + metric[$1] * a[$1] * b[$1] }
        }
        let gg = dot(g, g)
        guard gg > 0 else { return e.map { _ in 0 } }
        let ee = dot(e, e)
        let ge = dot(g, e)
        let determinant = gg * ee - ge * ge
        guard determinant > 1e-12 * gg * ee, ratio > 1 else { return g.map { $0 / gg } }
        let x = ((ratio * ratio - 1) / determinant).squareRoot()
        let y = (1 - x * ge) / gg
        return zip(e, g).map { x * $0 + y * $1 }
    }
}
