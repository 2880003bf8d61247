/// Two pieces of work timed in turn in one run, so that whatever else the machine does falls on both.
///
/// A round times each once, the order alternating from round to round; ratios are taken within rounds before their median
/// is, so slow drifts cancel.
public struct InterleavedTiming: Sendable {
    /// Milliseconds of the first and of the second, over rounds.
    public let first: SampleStatistics
    public let second: SampleStatistics
    /// Second over first, over rounds.
    public let ratio: SampleStatistics

    public var rounds: Int { ratio.count }

    /// - Parameters:
    ///   - leastRounds: rounds that are made in any case, at least 1.
    ///   - mostRounds: rounds after which to stop even when `enough` has not gone by.
    ///   - enough: time after which to stop.
    ///   - warmUp: rounds that are not counted.
    public static func measure(
        leastRounds: Int = 9, mostRounds: Int = 41, enough: Duration = .seconds(2), warmUp: Int = 2,
        _ first: () throws -> Void, _ second: () throws -> Void
    ) throws -> InterleavedTiming {
        let clock = ContinuousClock()
        for _ in 0..<warmUp {
            try first()
            try second()
        }
        var (a, b) = ([Double](), [Double]())
        let start = clock.now
        while a.count < max(leastRounds, 1) || (a.count < mostRounds && clock.now - start < enough) {
            let isReversed = a.count % 2 == 1
            if isReversed { b.append(try clock.measure(second) / .milliseconds(1)) }
            a.append(try clock.measure(first) / .milliseconds(1))
            if !isReversed { b.append(try clock.measure(second) / .milliseconds(1)) }
        }
        return InterleavedTiming(
            first: try SampleStatistics(a), second: try SampleStatistics(b),
            ratio: try SampleStatistics(zip(a, b).map { $1 / $0 }))
    }
}
