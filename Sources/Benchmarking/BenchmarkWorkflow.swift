import Runs
import TensorCore
import Timing

/// Times a model, or two in turn: predictions, sampling, training steps, Hessian–vector products, single layers.
public struct BenchmarkWorkflow {
    private let subjects: [BenchmarkSubject]
    private let settings: BenchmarkSettings
    private let progress: ProgressHandler?

    /// - Parameters:
    ///   - subject: what is timed.
    ///   - other: a second model to time in turn with it.
    ///   - settings: works, batch sizes, rounds, sampling steps and seed.
    ///   - progress: told after each measurement.
    /// - Throws: `RequestError`.
    public init(
        _ subject: BenchmarkSubject, against other: BenchmarkSubject? = nil, _ settings: BenchmarkSettings,
        progress: ProgressHandler? = nil
    ) throws {
        try settings.validate()
        subjects = [subject] + (other.map { [$0] } ?? [])
        self.settings = settings
        self.progress = progress
    }

    public func run() throws -> BenchmarkResult {
        let jobs = settings.works.flatMap { work in settings.batches.map { (work: work, batch: $0) } }
        let profiled: [BenchmarkWork] = settings.works.contains(.training) ? [.forward, .training] : [.forward]
        let profiles =
            settings.profilesLayers
            ? profiled.flatMap { work in settings.batches.map { (work: work, batch: $0) } } : []
        let count = jobs.count + profiles.count
        func report(_ done: Int, _ detail: String) {
            progress?(ProgressUpdate(phase: "timing", completed: done, total: count, detail: detail))
        }
        let others = OtherProcesses()
        var peak = 0.0
        func measurePeak() { for _ in 0..<10 { peak = max(peak, Engine.multiplyAddBurst()) } }
        measurePeak()
        var measurements: [BenchmarkResult.Measurement] = []
        for (index, job) in jobs.enumerated() {
            report(index, "\(job.work.title), batch \(job.batch)")
            measurements.append(try measure(job.work, batch: job.batch))
            measurePeak()
        }
        var passes: [[Passes]] = []
        for (index, job) in profiles.enumerated() {
            report(jobs.count + index, "layers of \(job.work.title), batch \(job.batch)")
            passes.append(try profile(job.work, batch: job.batch, peak: &peak))
        }
        report(count, "")
        return BenchmarkResult(
            machine: .current, peakRate: peak, otherProcesses: others?.busyCores(),
            subjects: subjects.map {
                .init(
                    name: $0.name, source: $0.source, parameters: $0.parameters, macs: $0.macs, imageSize: $0.imageSize)
            },
            measurements: measurements,
            layers: try zip(profiles, passes).flatMap { job, passes in
                try zip(subjects, passes).map {
                    try LayerTable(
                        subject: $0.name, work: job.work, batch: job.batch, passes: $1, peakRate: peak)
                }
            })
    }

    private func measure(_ work: BenchmarkWork, batch: Int) throws -> BenchmarkResult.Measurement {
        let prepared = try subjects.map { try PreparedWork(work, on: $0, batch: batch, settings: settings) }
        let times = try settings.rounds.measure(prepared.map { .init(run: $0.run) })
        let predictions = work == .sampling ? settings.steps : 1
        let sides = try subjects.indices.map { index in
            try BenchmarkResult.Side(
                milliseconds: times[index], macs: subjects[index].macs * Double(batch * predictions), images: batch,
                peakBytes: prepared[index].peakBytes)
        }
        return BenchmarkResult.Measurement(
            work: work, batch: batch, predictions: predictions, sides: sides,
            ratio: times.count == 2 ? try InterleavedTiming(first: times[0], second: times[1]).ratio : nil)
    }

    private typealias Passes = [(milliseconds: Double, entries: [OperationProfile.Entry])]

    /// Passes of each subject with the operations in them; the peak is measured between them.
    private func profile(_ work: BenchmarkWork, batch: Int, peak: inout Double) throws -> [Passes] {
        let rounds = settings.rounds
        var entries = subjects.map { _ in [[OperationProfile.Entry]]() }
        var highest = peak
        var pieces = try subjects.indices.map { index in
            let prepared = try PreparedWork(work, on: subjects[index], batch: batch, settings: settings)
            return InterleavedRounds.Piece { entries[index].append(try OperationProfile.entries(during: prepared.run)) }
        }
        pieces.append(.init { highest = max(highest, Engine.multiplyAddBurst()) })
        let times = try rounds.measure(pieces)
        peak = highest
        return subjects.indices.map { index in
            zip(times[index], entries[index].dropFirst(rounds.warmUp)).map { (milliseconds: $0, entries: $1) }
        }
    }
}
