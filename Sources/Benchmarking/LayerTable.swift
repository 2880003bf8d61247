import Statistics
import TensorCore

/// Where the time of a prediction or of a training step goes, in running order.
public struct LayerTable: Sendable {
    /// A layer, or what several layers take together.
    public struct Cost: Sendable {
        /// Multiply–accumulates of the whole batch in the forward pass.
        public let macs: Double
        /// Of the forward pass: median; of several layers the sum of their medians.
        public let milliseconds: Double
        /// The same of the backward pass.
        public let backwardMilliseconds: Double
        /// Of the total, forward and backward.
        public let share: Double
        /// The forward pass's floating-point operations a second over the machine's peak of them; above 1 where
        /// Winograd's algorithm does without most of the multiplications that are counted.
        public let peakFraction: Double

        /// Floating-point operations a second of the forward pass.
        public var rate: Double { 2 * macs / milliseconds * 1000 }
    }

    public struct Row: Sendable {
        public let name: String
        public let kind: OperationKind
        public let inputShape: [Int]
        public let outputShape: [Int]
        public let cost: Cost
        /// The shortest and the longest time of the forward pass, in milliseconds.
        public let minimum: Double
        public let maximum: Double
    }

    public let subject: String
    /// `forward` or `training`.
    public let work: BenchmarkWork
    public let batch: Int
    public let rows: [Row]
    /// By kind, in the kinds' order; kinds that are not there are left out.
    public let kinds: [(kind: OperationKind, count: Int, cost: Cost)]
    /// What passes take beyond their layers; in training that is the loss, clipping and the optimiser, too.
    public let between: Cost
    /// The layers and what is between them.
    public let total: Cost
    /// Milliseconds of whole passes while the profile was taken.
    public let passes: SampleStatistics

    /// - Parameters:
    ///   - passes: milliseconds of each pass with the operations that ran in it: the same ones in every pass.
    ///   - peakRate: floating-point operations a second.
    init(
        subject: String, work: BenchmarkWork, batch: Int,
        passes: [(milliseconds: Double, entries: [OperationProfile.Entry])], peakRate: Double
    ) throws {
        self.subject = subject
        self.work = work
        self.batch = batch
        self.passes = try SampleStatistics(passes.map(\.milliseconds))
        let first = passes[0].entries
        precondition(
            passes.allSatisfy { $0.entries.map(\.name) == first.map(\.name) }, "a pass that ran other operations")
        func statistics(_ value: (OperationProfile.Entry) -> Double) throws -> [SampleStatistics] {
            try first.indices.map { index in try SampleStatistics(passes.map { value($0.entries[index]) }) }
        }
        let forward = try statistics(\.milliseconds)
        let backward = try statistics(\.backwardMilliseconds)
        let gap = try SampleStatistics(
            passes.map { pass in
                max(0, pass.milliseconds - pass.entries.reduce(0) { $0 + $1.milliseconds + $1.backwardMilliseconds })
            })
        let totalTime = (forward + backward).reduce(gap.median) { $0 + $1.median }
        func cost(_ macs: Double, _ forward: Double, _ backward: Double) -> Cost {
            Cost(
                macs: macs, milliseconds: forward, backwardMilliseconds: backward,
                share: (forward + backward) / totalTime, peakFraction: 2 * macs / forward * 1000 / peakRate)
        }
        func sum(_ costs: [Cost]) -> Cost {
            cost(
                costs.reduce(0) { $0 + $1.macs }, costs.reduce(0) { $0 + $1.milliseconds },
                costs.reduce(0) { $0 + $1.backwardMilliseconds })
        }
        let rows = first.indices.map { index in
            let entry = first[index]
            return Row(
                name: entry.name, kind: entry.kind, inputShape: entry.inputShape, outputShape: entry.outputShape,
                cost: cost(entry.macs, forward[index].median, backward[index].median), minimum: forward[index].minimum,
                maximum: forward[index].maximum)
        }
        self.rows = rows
        between = cost(0, gap.median, 0)
        total = sum(rows.map(\.cost) + [between])
        kinds = OperationKind.allCases.compactMap { kind in
            let members = rows.filter { $0.kind == kind }.map(\.cost)
            return members.isEmpty ? nil : (kind, members.count, sum(members))
        }
    }
}

extension OperationProfile.Entry {
    fileprivate var milliseconds: Double { duration / .milliseconds(1) }
    fileprivate var backwardMilliseconds: Double { backwardDuration / .milliseconds(1) }
}
