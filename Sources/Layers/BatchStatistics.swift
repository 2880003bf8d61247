/// Which moments batch normalisations use: the running ones that they have, or those of the batch that passes, which
/// then find their way into the running ones.
public enum BatchStatistics {
    /// What the running moments move by to those of the batch, 0…1; nil where they are used as they are.
    @TaskLocal static var momentum: Double?

    /// PyTorch's default.
    public static let usualMomentum = 0.1

    /// Runs `body`, forward passes of a training, with the moments of the batch.
    ///
    /// - Parameters:
    ///   - momentum: share of the batch's moments in the running ones afterwards.
    ///   - body: what is run.
    public static func taken<Result>(
        momentum: Double = usualMomentum, _ body: () throws -> Result
    ) rethrows -> Result {
        try $momentum.withValue(momentum, operation: body)
    }
}

extension ChannelNetwork {
    /// Whether it has running moments, which go out of date when weights change otherwise than by training.
    public var hasStatistics: Bool { parameters.contains(where: \.isStatistic) }
}
