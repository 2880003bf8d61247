import Runs
import Statistics
import TensorCore
import Timing

/// Times a model over batch sizes, widths, image sizes or threads, all values in turn in one run.
public struct SweepWorkflow {
    private let subject: BenchmarkSubject
    private let axes: [SweepAxis]
    private let settings: BenchmarkSettings
    private let batches: [Int]
    private let batch: Int
    private let progress: ProgressHandler?

    /// Batch sizes of a sweep over them, where none are given.
    public static let defaultBatches = [1, 2, 4, 8, 16, 32]
    /// The batch size of the other sweeps, where none is given.
    public static let defaultBatch = 4

    /// - Parameters:
    ///   - subject: what is timed.
    ///   - axes: what is varied, one after the other.
    ///   - settings: works, rounds, sampling steps and seed.
    ///   - batches: the values of a sweep over batch sizes.
    ///   - batch: the batch size of the other sweeps.
    ///   - progress: told after each sweep.
    /// - Throws: `RequestError`.
    public init(
        _ subject: BenchmarkSubject, _ axes: [SweepAxis], _ settings: BenchmarkSettings, batches: [Int], batch: Int,
        progress: ProgressHandler? = nil
    ) throws {
        try settings.validate()
        self.subject = subject
        self.axes = axes
        self.settings = settings
        self.batches = batches
        self.batch = batch
        self.progress = progress
    }

    public func run() throws -> BenchmarkSweeps {
        let others = OtherProcesses()
        var sweeps: [SweepResult] = []
        for (index, axis) in axes.enumerated() {
            progress?(ProgressUpdate(phase: "sweeping", completed: index, total: axes.count, detail: axis.rawValue))
            sweeps.append(try sweep(axis))
        }
        progress?(ProgressUpdate(phase: "sweeping", completed: axes.count, total: axes.count))
        return BenchmarkSweeps(machine: .current, otherProcesses: others?.busyCores(), sweeps: sweeps)
    }

    private func sweep(_ axis: SweepAxis) throws -> SweepResult {
        let threads = Engine.threads
        defer { Engine.threads = threads }
        let points = try SweepPoint.all(
            axis, of: subject, batches: axis == .batch ? batches : [batch], threads: threads, seed: settings.seed)
        let jobs = settings.works.flatMap { work in points.map { (work: work, point: $0) } }
        let times = try settings.rounds.measure(jobs.map { try piece($0.work, $0.point) })
        return SweepResult(
            axis: axis,
            points: try jobs.indices.map { index in
                let point = jobs[index].point
                // Works one after the other, each from the sweep's first value on.
                let first = index / points.count * points.count
                return SweepResult.Point(
                    work: jobs[index].work, value: point.value, batch: point.batch, threads: point.threads ?? threads,
                    macs: point.subject.macs * Double(point.batch), milliseconds: try SampleStatistics(times[index]),
                    relativeTime: try InterleavedTiming(first: times[first], second: times[index]).ratio,
                    relativeWork: point.work / jobs[first].point.work)
            })
    }

    private func piece(_ work: BenchmarkWork, _ point: SweepPoint) throws -> InterleavedRounds.Piece {
        let prepared = try PreparedWork(work, on: point.subject, batch: point.batch, settings: settings)
        guard let threads = point.threads else { return .init(run: prepared.run) }
        // A run that is not timed lets new threads start.
        return .init(
            prepare: {
                Engine.threads = threads
                try prepared.run()
            }, run: prepared.run)
    }
}
