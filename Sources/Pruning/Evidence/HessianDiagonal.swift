import TensorCore

/// The diagonal of the loss's Hessian, estimated: diag(H) = E[v ⊙ Hv] for v of independent ±1 (Hutchinson; Bekas,
/// Kokiopoulou & Saad, 2007). Flat, laid out as the arena.
///
/// The products Hv are exact; the variance of an element's estimate is Σ_{j≠i} H_ij² / probes.
public struct HessianDiagonal: EvidenceKind {
    public static let name = "Hessian diagonal"

    /// Vectors v, at least 1.
    public let probes: Int
    public let seed: UInt64

    public init(probes: Int, seed: UInt64) {
        self.probes = probes
        self.seed = seed
    }

    public func gather(at masks: Masks, from source: EvidenceSource) throws -> Tensor {
        let calibration: any CalibrationSource = try source.calibration(for: Self.self)
        let arena = source.arena
        let sum = Tensor(zeros: [arena.count])
        let probe = Tensor(zeros: [arena.count])
        let products = Tensor(zeros: [arena.count])
        defer { arena.clearTangents() }
        try masks.applied {
            for number in 0..<probes {
                var stream = RandomStream(seed: seed, purpose: .probe, index: UInt64(number))
                stream.fillRademacher(probe.unsafeBuffer)
                products.fill(0)
                arena.clearGradients()
                arena.setTangents(probe, products: products)
                for batch in 0..<calibration.batchCount {
                    try calibration.loss(batch: batch).scaled(by: 1 / Float(calibration.batchCount)).backward()
                }
                guard products.allFinite else { throw EvidenceError.notFinite("the Hessian–vector product") }
                for i in 0..<arena.count { sum.pointer[i] += probe.pointer[i] * products.pointer[i] / Float(probes) }
            }
        }
        return sum
    }
}
