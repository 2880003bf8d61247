import Configuration
import Pruning

/// The `pruning` section.
public struct PruningConfiguration: ConfigurationSection, Equatable {
    public enum GranularityName: String, Codable, Sendable, CaseIterable {
        case channel, block, head, aligned, regular
    }

    /// What may be left: "macs=0.5", "params=0.5" (fractions left) or "sparsity=0.5" (fraction of channels removed).
    public var target = "macs=0.5"
    public var granularity = GranularityName.channel
    /// Channels of a block, for granularity "block".
    public var blockSize = 8
    /// What widths stay a multiple of, for granularities "aligned" and "regular".
    public var multiple = 16
    /// Fraction of every group's channels that stays whatever the scores say.
    public var leastFraction = 0.1
    /// Share of the fine-tuning steps that is spent between mask updates, before the channels are really removed.
    public var softFraction = 0.25
    /// Fixed batches that scores are averaged over. Small ones: what is read by its size is so in each batch.
    public var calibrationBatches = 32
    public var calibrationBatchSize = 8
    public var seed = 0

    public init() {}

    public func validate() throws {
        func check(_ ok: Bool, _ key: String, _ got: Any, _ expected: String) throws {
            if !ok { throw ConfigurationError.invalid(source: "pruning", key: key, got: "\(got)", expected: expected) }
        }
        _ = try Budget(parsing: target)
        try check((1...4096).contains(blockSize), "block_size", blockSize, "1...4096")
        try check((1...4096).contains(multiple), "multiple", multiple, "1...4096")
        try check((0..<1).contains(leastFraction), "least_fraction", leastFraction, "in [0, 1)")
        try check((0...1).contains(softFraction), "soft_fraction", softFraction, "in [0, 1]")
        try check((1...10_000).contains(calibrationBatches), "calibration_batches", calibrationBatches, "1...10000")
        try check((1...4096).contains(calibrationBatchSize), "calibration_batch_size", calibrationBatchSize, "1...4096")
        try check(seed >= 0, "seed", seed, "at least 0")
    }

    var unit: Granularity {
        switch granularity {
        case .channel: .channel
        case .block: .block(blockSize)
        case .head: .head
        case .aligned: .aligned(multiple: multiple)
        case .regular: .regular(multiple: multiple)
        }
    }
}
