import Evaluation
import TensorCore

/// Where the time of one prediction goes, in running order.
public struct LayerTable: Sendable {
    /// A layer, or what several layers take together.
    public struct Cost: Sendable {
        /// Multiply–accumulates of the whole batch.
        public let macs: Double
        /// Median; of several layers the sum of their medians.
        public let milliseconds: Double
        /// Of the total.
        public let share: Double
        /// Floating-point operations a second over the machine's peak of them; above 1 where Winograd's algorithm does
        /// without most of the multiplications that are counted.
        public let peakFraction: Double

        /// Floating-point operations a second.
        public var rate: Double { 2 * macs / milliseconds * 1000 }
    }

    public struct Row: Sendable {
        public let name: String
        public let kind: OperationKind
        public let inputShape: [Int]
        public let outputShape: [Int]
        public let cost: Cost
        /// The shortest and the longest time, in milliseconds.
        public let minimum: Double
        public let maximum: Double
    }

    public let subject: String
    public let batch: Int
    public let rows: [Row]
    /// By kind, in the kinds' order; kinds that are not there are left out.
    public let kinds: [(kind: OperationKind, count: Int, cost: Cost)]
    /// What passes take beyond their layers.
    public let between: Cost
    /// The layers and what is between them.
    public let total: Cost
    /// Milliseconds of whole passes while the profile was taken.
    public let passes: SampleStatistics

    /// - Parameters:
    ///   - passes: milliseconds of each pass with the operations that ran in it: the same ones in every pass.
    ///   - peakRate: floating-point operations a second.
    init(
        subject: String, batch: Int, passes: [(milliseconds: Double, entries: [OperationProfile.Entry])],
        peakRate: Double
    ) throws {
        self.subject = subject
        self.batch = batch
        self.passes = try SampleStatistics(passes.map(\.milliseconds))
        let first = passes[0].entries
        precondition(
            passes.allSatisfy { $0.entries.map(\.name) == first.map(\.name) }, "a pass that ran other operations")
        let layers = try first.indices.map { index in
            try SampleStatistics(passes.map { $0.entries[index].milliseconds })
        }
        let gap = try SampleStatistics(
            passes.map { pass in max(0, pass.milliseconds - pass.entries.reduce(0) { $0 + $1.milliseconds }) })
        let totalTime = layers.reduce(gap.median) { $0 + $1.median }
        func cost(_ macs: Double, _ milliseconds: Double) -> Cost {
            Cost(
                macs: macs, milliseconds: milliseconds, share: milliseconds / totalTime,
                peakFraction: 2 * macs / milliseconds * 1000 / peakRate)
        }
        let rows = zip(first, layers).map { entry, times in
            Row(
                name: entry.name, kind: entry.kind, inputShape: entry.inputShape, outputShape: entry.outputShape,
                cost: cost(entry.macs, times.median), minimum: times.minimum, maximum: times.maximum)
        }
        self.rows = rows
        between = cost(0, gap.median)
        total = cost(first.reduce(0) { $0 + $1.macs }, totalTime)
        kinds = OperationKind.allCases.compactMap { kind in
            let members = rows.filter { $0.kind == kind }.map(\.cost)
            guard !members.isEmpty else { return nil }
            return (
                kind, members.count,
                cost(members.reduce(0) { $0 + $1.macs }, members.reduce(0) { $0 + $1.milliseconds })
            )
        }
    }
}

extension OperationProfile.Entry {
    fileprivate var milliseconds: Double { duration / .milliseconds(1) }
}
