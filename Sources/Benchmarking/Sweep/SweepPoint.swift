import Models
import Runs

/// One value of a sweep, with what is to be timed there.
struct SweepPoint {
    let value: Int
    let subject: BenchmarkSubject
    let batch: Int
    /// nil leaves the engine's threads as they are.
    let threads: Int?

    /// Multiply–accumulates of a prediction of the batch, for each thread where threads are varied.
    var work: Double { subject.macs * Double(batch) / Double(threads ?? 1) }

    /// The points of a sweep over `axis`, ascending.
    ///
    /// - Parameters:
    ///   - batches: the values of a sweep over batches; elsewhere the one batch size.
    ///   - threads: the most threads.
    static func all(
        _ axis: SweepAxis, of subject: BenchmarkSubject, batches: [Int], threads: Int, seed: UInt64
    ) throws -> [SweepPoint] {
        switch axis {
        case .batch:
            return Set(batches).sorted().map { SweepPoint(value: $0, subject: subject, batch: $0, threads: nil) }
        case .threads:
            let fewer = sequence(first: 1) { $0 * 2 }.prefix { $0 < threads }
            return (fewer + [threads]).map { SweepPoint(value: $0, subject: subject, batch: batches[0], threads: $0) }
        case .width, .resolution:
            guard let configuration = subject.configuration else {
                throw RequestError.conflict(
                    "--sweep \(axis.rawValue) makes variants of a U-Net: expected one, not a classifier")
            }
            return try variants(axis, of: subject, configuration, batch: batches[0], seed: seed)
        }
    }

    /// Other widths, or other sizes of images.
    private static func variants(
        _ axis: SweepAxis, of subject: BenchmarkSubject, _ configuration: UNetConfiguration, batch: Int, seed: UInt64
    ) throws -> [SweepPoint] {
        func variant(_ value: Int, _ change: (inout UNetConfiguration) -> Void) throws -> SweepPoint {
            var changed = configuration
            change(&changed)
            return SweepPoint(
                value: value,
                subject: try BenchmarkSubject(
                    "\(axis.rawValue) \(value)", source: subject.source, configuration: changed, seed: seed),
                batch: batch, threads: nil)
        }
        if axis == .resolution {
            let sizes = factors.map { factor in
                subject.imageSize.map { rounded($0, factor, to: configuration.sizeDivisor) }
            }
            return try distinct(sizes).map { size in try variant(size[0]) { $0.sampleSize = size } }
        }
        // Whole normalisation groups and whole heads.
        let unit = leastCommonMultiple(configuration.normNumGroups ?? 1, configuration.attentionHeadDim ?? 1)
        let widths = factors.map { factor in
            configuration.blockOutChannels.map { rounded($0, factor, to: unit) }
        }
        return try distinct(widths).map { widths in try variant(widths[0]) { $0.blockOutChannels = widths } }
    }

    /// What widths and heights are multiplied by, in halves.
    private static let factors = [1, 2, 3, 4]

    private static func rounded(_ value: Int, _ halves: Int, to unit: Int) -> Int {
        max(unit, (value * halves / 2 + unit / 2) / unit * unit)
    }

    private static func distinct(_ values: [[Int]]) -> [[Int]] {
        values.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    private static func leastCommonMultiple(_ a: Int, _ b: Int) -> Int {
        var (x, y) = (a, b)
        while y != 0 { (x, y) = (y, x % y) }
        return a / x * b
    }
}
