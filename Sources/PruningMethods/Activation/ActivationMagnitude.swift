import Pruning

/// Activation magnitude: how large a channel is where layers read it.
///
///     score_k = mean over consumers of mean|x_k|, divided by the group's mean score
///
/// over all positions of the calibration batches, timesteps and images alike.
///
/// Based on: Molchanov et al., "Pruning Convolutional Neural Networks for Resource Efficient Inference", ICLR 2017,
/// arXiv 1611.06440 (mean activation).
///
/// Differs from the paper: an axis has several consumers, whose means are averaged; groups are made comparable by their
/// mean, not by their norm, and each keeps the same share unless the allocation says otherwise. The channels of an axis
/// that no convolution or linear layer reads score 1 each.
public struct ActivationMagnitude: ImportanceCriterion {
    public static let card = MethodCard(
        name: "activation-magnitude", family: "activation", summary: "removes the channels of the smallest activations",
        granularities: Granularity.Name.all(in: .channels), allocation: .uniform,
        paper: "Molchanov et al., 2017, arXiv 1611.06440")
    public static let needs: [any EvidenceKind.Type] = [InputStatistics.self]
    public static let scoresAreLossChanges = false

    public init(_ configuration: NoConfiguration, seed: UInt64) {}

    public func scores(at masks: Masks, from evidence: EvidenceSource) throws -> Scores {
        try evidence(InputStatistics(), at: masks).relative(\.meanSize, in: masks.space)
    }
}

extension InputStatistics.Value {
    /// A statistic of each channel, summed over the layers that read it, relative to its group's mean; 1 each where no
    /// layer reads the group.
    func relative(_ statistic: KeyPath<InputStatistics.Channels, [Double]>, in space: PruningSpace) -> Scores {
        Scores(
            space,
            bySite: space.groups.map { group in
                var sums = [Double](repeating: 0, count: group.width)
                var consumers = 0
                for member in group.consumers {
                    guard let inputs = self[member.parameter] else { continue }
                    consumers += 1
                    let values = inputs[keyPath: statistic]
                    for channel in sums.indices { sums[channel] += values[member.offset + channel] }
                }
                let mean = sums.reduce(0, +) / Double(max(sums.count, 1))
                return consumers > 0 && mean > 0 ? sums.map { $0 / mean } : sums.map { _ in 1 }
            })
    }
}
