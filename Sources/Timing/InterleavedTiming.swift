import Statistics

/// Two pieces of work timed in turn (`InterleavedRounds`): ratios are taken within rounds before their median is,
/// so slow drifts cancel.
public struct InterleavedTiming: Sendable {
    /// Milliseconds of the first and of the second, over rounds.
    public let first: SampleStatistics
    public let second: SampleStatistics
    /// Second over first, over rounds.
    public let ratio: SampleStatistics

    public var rounds: Int { ratio.count }

    /// From the milliseconds of both, a round each.
    ///
    /// - Precondition: as many of one as of the other.
    public init(first: [Double], second: [Double]) throws {
        precondition(first.count == second.count, "\(first.count) and \(second.count) rounds")
        self.first = try SampleStatistics(first)
        self.second = try SampleStatistics(second)
        ratio = try SampleStatistics(zip(first, second).map { $1 / $0 })
    }

    public static func measure(
        _ first: @escaping () throws -> Void, _ second: @escaping () throws -> Void,
        rounds: InterleavedRounds = InterleavedRounds()
    ) throws -> InterleavedTiming {
        let times = try rounds.measure([.init(run: first), .init(run: second)])
        return try InterleavedTiming(first: times[0], second: times[1])
    }
}
