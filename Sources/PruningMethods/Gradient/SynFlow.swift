import Pruning

/// SynFlow: what flows through a weight when ones are sent through a network without signs, in many rounds, so that no
/// layer runs dry before it has to.
///
///     score_i = | ∂R/∂w_i · w_i | / R        R = 1ᵀ · Π|W| · 1
///
/// with no data at all. A round r of n leaves the share s^(r/n) of what there was, s being the target. Of a channel the
/// score is that of its gate, ∂R/∂m · m / R: the sum over the weights that lead to it, which is that over those that
/// lead away.
///
/// Flow is conserved: what comes into a channel goes out of it, and every layer that all paths cross has the same in
/// all. The fewer weights a layer has left the higher is each one's score, as long as scores are read anew often
/// enough; a layer is then not emptied while another could give. All rounds come before any training.
///
/// Based on: Tanaka, Kunin, Yamins & Ganguli, "Pruning neural networks without any data by iteratively conserving
/// synaptic flow", NeurIPS 2020, arXiv 2006.05467.
///
/// Differs from the paper: read at a trained model instead of at initialisation. Scores are shares of R, which changes
/// no rank. Normalisation is |γ| times division by a constant, the mean of what is normalised in this pass, in place of
/// the stored variance of a batch normalisation; each convolution and linear layer is divided by a constant too, so
/// that it hands on the mean that it reads. Where layers follow on one another these are common factors of R and change
/// nothing; where paths meet, as in residuals and skips, which the paper's convolutional networks have few of, all
/// count by what they are made of and not by how many layers they have. Attention is the mean of query, key and value;
/// timesteps and classes are embedded as ones, and a scale that an embedding gives is added instead of multiplied.
/// Scores of channels, and patterns n:m.
public struct SynFlow: ImportanceCriterion {
    public static let card = MethodCard(
        name: "synflow", family: "gradient",
        summary: "removes what the least flows through on all paths of weights' sizes, with no data, in 100 rounds",
        granularities: [.weight] + Granularity.Name.allCases.filter { $0 != .weight },
        paper: "Tanaka et al., 2020, arXiv 2006.05467")
    public static let needs: [any EvidenceKind.Type] = [SynapticFlow.self]
    public static let scoresAreLossChanges = false
    public static let rounds = 100
    public static let schedule = MaskSchedule.exponential
    public static let ranksBeforeTraining = true

    public init(_ configuration: NoConfiguration, seed: UInt64) {}

    public func lossCount(of calibration: any CalibrationSource) -> Int { 0 }

    public func scores(at masks: Masks, from evidence: EvidenceSource) throws -> Scores {
        try evidence(SynapticFlow(), at: masks)
    }
}
