import Layers
import TensorCore

/// The share of a network's synaptic flow that goes through each coordinate, read with no data at all.
///
///     f_i = m_i · ∂R/∂m_i / R        R = Σ outputs for an input of ones, in a `SynapticPass`
///
/// R is linear in each weight, so f_i of a single weight is | w_i · ∂R/∂w_i | / R: the part of R on paths over it, in
/// [0, 1]; over the weights of a layer that every path crosses they add up to 1. Of a channel it is the sum over the
/// weights that lead to it, which is that over those that lead away from it; a path that comes to a residual's channel
/// more than once counts as often. What is masked has none, and neither has what leads to it or from it alone.
public struct SynapticFlow: EvidenceKind {
    public static let name = "synaptic flow"

    public init() {}

    /// Whatever there is.
    public static func isOffered(by calibration: (any CalibrationSource)?) -> Bool { true }

    public func gather(at masks: Masks, from source: EvidenceSource) throws -> Scores {
        guard let network = source.network as? any OnesResponding else {
            throw EvidenceError.unanswered(kind: Self.name)
        }
        return try masks.applied(trainable: true) { applied in
            source.arena.clearGradients()
            SynapticPass.run {
                let response = network.responseToOnes().summed(over: .all)
                let total = response.value.scalar
                // Divided first, so that what comes back is of the size of shares.
                (total > 0 ? response.scaled(by: 1 / total) : response).backward()
            }
            let gradients = applied.takeGradients().gradients
            let flow = zip(masks.values, gradients).map { Double($0) * Double($1) }
            guard flow.allSatisfy(\.isFinite) else { throw EvidenceError.notFinite("the synaptic flow") }
            return Scores(masks.space, flow)
        }
    }
}
