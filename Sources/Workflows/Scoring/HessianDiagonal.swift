import Pruning
import TensorCore
import Training

/// The diagonal of the loss's Hessian, estimated: diag(H) = E[v ⊙ Hv] for v of independent ±1 (Hutchinson; Bekas,
/// Kokiopoulou & Saad, 2007).
///
/// The products Hv are exact; the variance of an element's estimate is Σ_{j≠i} H_ij² / probes.
struct HessianDiagonal {
    let arena: ParameterArena
    let source: any CalibrationSource
    let probes: Int
    let seed: UInt64

    /// Flat, laid out as the arena.
    func estimate() throws -> Tensor {
        let sum = Tensor(zeros: [arena.count])
        let probe = Tensor(zeros: [arena.count])
        let products = Tensor(zeros: [arena.count])
        defer { arena.clearTangents() }
        for number in 0..<probes {
            var stream = RandomStream(seed: seed, purpose: .probe, index: UInt64(number))
            stream.fillRademacher(probe.unsafeBuffer)
            products.fill(0)
            arena.clearGradients()
            arena.setTangents(probe, products: products)
            for batch in 0..<source.batchCount {
                try source.loss(batch: batch).scaled(by: 1 / Float(source.batchCount)).backward()
            }
            guard products.allFinite else { throw EvidenceError.notFinite("the Hessian–vector product") }
            for i in 0..<arena.count { sum.pointer[i] += probe.pointer[i] * products.pointer[i] / Float(probes) }
        }
        return sum
    }
}
