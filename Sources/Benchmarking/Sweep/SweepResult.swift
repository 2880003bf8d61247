import Statistics
import Timing

/// How time grows with one thing that is varied.
public struct SweepResult: Sendable {
    public let axis: SweepAxis
    /// Works one after the other, values ascending.
    public let points: [Point]

    public struct Point: Sendable {
        public let work: BenchmarkWork
        public let value: Int
        public let batch: Int
        public let threads: Int
        /// Multiply–accumulates of a prediction of the batch.
        public let macs: Double
        public let milliseconds: SampleStatistics
        /// Over the time at the sweep's first value, within rounds.
        public let relativeTime: SampleStatistics
        /// Multiply–accumulates, for each thread where threads are varied, over those at the sweep's first value.
        public let relativeWork: Double
    }

    /// The points of one kind of work.
    func series(_ work: BenchmarkWork) -> [Point] { points.filter { $0.work == work } }

    var works: [BenchmarkWork] { BenchmarkWork.allCases.filter { work in points.contains { $0.work == work } } }
}

/// What `bench --sweep` measured.
public struct BenchmarkSweeps: Sendable {
    public let machine: Machine
    /// Cores that other processes kept busy meanwhile, on average; nil where the system does not tell.
    public let otherProcesses: Double?
    public let sweeps: [SweepResult]
}
