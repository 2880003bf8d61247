import Pruning

/// Activation variance: how much a channel varies where layers read it. What hardly varies can be left to a bias.
///
///     score_k = mean over consumers of E[(x_k − E x_k)²], divided by the group's mean score
///
/// over all positions of the calibration batches, timesteps and images alike.
///
/// Based on: Polyak & Wolf, "Channel-Level Acceleration of Deep Face Representations", IEEE Access 2015 (inbound
/// pruning by the variance of activations).
///
/// Differs from the paper: an axis has several consumers, whose variances are averaged; all groups are ranked
/// together, made comparable by their mean; fine-tuning instead of a bias takes over what the mean contributed. The
/// channels of an axis that no convolution or linear layer reads score 1 each.
public struct ActivationVariance: ImportanceCriterion {
    public static let card = MethodCard(
        name: "activation-variance", family: "activation", summary: "removes the channels that vary least",
        granularities: Granularity.Name.all(in: .channels), paper: "Polyak & Wolf, 2015")
    public static let needs: [any EvidenceKind.Type] = [InputStatistics.self]
    public static let scoresAreLossChanges = false

    public init(_ configuration: NoConfiguration, seed: UInt64) {}

    public func scores(at masks: Masks, from evidence: EvidenceSource) throws -> Scores {
        try evidence(InputStatistics(), at: masks).relative(\.variance, in: masks.space)
    }
}
