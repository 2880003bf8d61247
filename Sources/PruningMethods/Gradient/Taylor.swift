import Files
import Pruning

/// First-order Taylor importance of a mask, in two forms.
///
///     signed:  score_k = Σ_b | ∂L_b/∂m_k |                L = Σ_b L_b over the calibration batches
///     size:    score_k = Σ_{i∈k} | w_i · ∂L/∂w_i |
///
/// at m = 1. The signed form is to first order what the loss changes by when k leaves: by the chain rule ∂L/∂m_k of a
/// channel is the signed sum Σ g_i·w_i over the weights that produce it, plus its part in the normalisation's moments;
/// of a single weight it is g_i·w_i. The size form adds up what single weights change, as if none made up for another,
/// over all weights on the channel.
///
/// Based on: Molchanov et al., "Importance Estimation for Neural Network Pruning", CVPR 2019, arXiv 1906.10771 (gates
/// after normalisation), and "Pruning Convolutional Neural Networks for Resource Efficient Inference", ICLR 2017.
///
/// Differs from the paper: sizes are averaged over the calibration batches, not squares.
public struct Taylor: ImportanceCriterion {
    /// What of a channel's weights is read by its size.
    public enum Form: String, Codable, Sendable, CaseIterable {
        /// The sum over them, in each batch.
        case signed
        /// Each by itself.
        case size
    }

    public struct Configuration: PrunerConfiguration {
        public var form = Form.signed
        public init() {}
        public func validate() throws {}
    }

    public static let card = MethodCard(
        name: "taylor", family: "gradient", summary: "removes what changes the loss least, to first order",
        paper: "Molchanov et al., 2019, arXiv 1906.10771")
    public static let needs: [any EvidenceKind.Type] = [Gradients.self]
    public static let scoresAreLossChanges = true

    private let configuration: Configuration

    public init(_ configuration: Configuration, seed: UInt64) { self.configuration = configuration }

    public func scores(at masks: Masks, from evidence: EvidenceSource) throws -> Scores {
        let gradients = try evidence(Gradients(), at: masks)
        switch configuration.form {
        case .signed: return gradients.masks.sum(abs)
        case .size:
            let sizes = evidence.arena.values.copied()
            for index in 0..<sizes.count {
                sizes.pointer[index] = abs(sizes.pointer[index] * gradients.weights.pointer[index])
            }
            return Scores(masks.space, bySite: masks.space.shares(of: sizes, in: evidence.arena))
        }
    }
}
