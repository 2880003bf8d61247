import Configuration
import Files
import Pruning

/// The `pruning` section.
public struct PruningConfiguration: ConfigurationSection, Equatable {
    /// What may be left: "macs=0.5", "params=0.5", "bytes=0.5" (fractions left), "macs=80M", "params=500k", "bytes=2MB"
    /// (amounts) or "sparsity=0.5" (fraction of channels or weights removed), or several with commas between. nil is
    /// half: "macs=0.5" of channels, "sparsity=0.5" of weights; or what the ratios leave.
    public var target: String?
    /// What leaves at once; nil is the method's own choice.
    public var granularity: Granularity.Name?
    /// Channels of a block, for granularity "block".
    public var blockSize = 8
    /// What widths stay a multiple of, for granularities "aligned" and "regular".
    public var multiple = 16
    /// What stays of what for granularity "n:m": "2:4" keeps two of four neighbouring weights.
    public var pattern = "2:4"
    /// Fraction of every group's channels that stays whatever the scores say.
    public var minimumFraction = 0.1
    /// Where what leaves is taken from; nil is the method's own choice.
    public var allocation: Allocation?
    /// What stays of each channel group, or weight: the file that says it or, as runs keep it, its contents. nil where
    /// scores or one share for all say it.
    public var ratios: RatioSetting?
    /// How much of what layers matter beside each other counts, for allocation "layer-adaptive": 1 as much as scores
    /// say, 0 nothing.
    public var layerExponent = 1.0
    /// Whether the schedule of learning rates begins anew, at its peak, once it is decided what stays.
    ///
    /// Based on: Renda, Frankle & Carbin, "Comparing Rewinding and Fine-tuning in Neural Network Pruning", ICLR 2020,
    /// arXiv 2003.02389 (learning-rate rewinding).
    ///
    /// Differs from the paper: what is rewound to is the beginning of the fine-tuning and not a step of the training,
    /// whose schedule the model does not hold; steps before and after the last mask update share those of the run.
    public var rewindLearningRate = false
    /// Share of the fine-tuning steps that is spent between mask updates, before the channels are removed for good.
    public var softFraction = 0.25
    /// Fixed batches that scores are averaged over. Small ones: what is read by its size is so in each batch.
    public var calibrationBatches = 32
    public var calibrationBatchSize = 8
    public var seed = 0

    public init() {}

    /// With null for what is left to the method, so that every key is there to be overridden.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(target, forKey: .target)
        try container.encode(granularity, forKey: .granularity)
        try container.encode(blockSize, forKey: .blockSize)
        try container.encode(multiple, forKey: .multiple)
        try container.encode(pattern, forKey: .pattern)
        try container.encode(minimumFraction, forKey: .minimumFraction)
        try container.encode(allocation, forKey: .allocation)
        try container.encode(ratios, forKey: .ratios)
        try container.encode(layerExponent, forKey: .layerExponent)
        try container.encode(rewindLearningRate, forKey: .rewindLearningRate)
        try container.encode(softFraction, forKey: .softFraction)
        try container.encode(calibrationBatches, forKey: .calibrationBatches)
        try container.encode(calibrationBatchSize, forKey: .calibrationBatchSize)
        try container.encode(seed, forKey: .seed)
    }

    public func validate() throws {
        if let target { _ = try Budget(parsing: target) }
        try require((1...4096).contains(blockSize), "block_size", got: blockSize, expected: "1...4096")
        try require((1...4096).contains(multiple), "multiple", got: multiple, expected: "1...4096")
        try require(
            (0..<1).contains(minimumFraction), "minimum_fraction", got: minimumFraction, expected: "in [0, 1)")
        try require((0...1).contains(layerExponent), "layer_exponent", got: layerExponent, expected: "in 0...1")
        _ = try parsedPattern()
        try require((0...1).contains(softFraction), "soft_fraction", got: softFraction, expected: "in [0, 1]")
        try require(
            (1...10_000).contains(calibrationBatches), "calibration_batches", got: calibrationBatches,
            expected: "1...10000")
        try require(
            (1...4096).contains(calibrationBatchSize), "calibration_batch_size", got: calibrationBatchSize,
            expected: "1...4096")
        try require(seed >= 0, "seed", got: seed, expected: "at least 0")
    }

    /// With the method's choices in place of what was left open.
    func resolved(for card: MethodCard) throws -> PruningConfiguration {
        var resolved = self
        let name = granularity ?? card.granularities[0]
        guard card.granularities.contains(name) else {
            throw SettingError(
                key: "granularity", got: "'\(name.rawValue)'",
                expected: "one that '\(card.name)' has: \(card.granularities.map(\.rawValue).joined(separator: ", "))")
        }
        resolved.granularity = name
        resolved.allocation = allocation ?? (ratios == nil ? card.allocation(for: name) : .ratios)
        guard (resolved.allocation == .ratios) == (ratios != nil) else {
            throw SettingError(
                key: "allocation", got: "'\(resolved.allocation?.rawValue ?? "")'",
                expected: ratios == nil
                    ? "another, or pruning.ratios beside it" : "'ratios' or null beside pruning.ratios")
        }
        guard layerExponent == 1 || resolved.allocation == .layerAdaptive else {
            throw SettingError(
                key: "layer_exponent", got: layerExponent,
                expected: "1, or pruning.allocation 'layer-adaptive', which alone has it")
        }
        if target == nil, ratios == nil {
            switch name {
            case .pattern:
                let (keep, of) = try parsedPattern()
                resolved.target = "sparsity=\(1 - Double(keep) / Double(of))"
            case .weight: resolved.target = "sparsity=0.5"
            default: resolved.target = "macs=0.5"
            }
        }
        return resolved
    }

    /// What is asked for; nil where that is what the ratios leave.
    ///
    /// - Precondition: resolved.
    func budget() throws -> Budget? { try target.map(Budget.init) }

    /// - Precondition: resolved.
    func unit() throws -> Granularity {
        switch granularity ?? .channel {
        case .channel: return .channel
        case .block: return .block(blockSize)
        case .head: return .head
        case .aligned: return .aligned(multiple: multiple)
        case .regular: return .regular(multiple: multiple)
        case .level: return .level
        case .layer: return .layer
        case .weight: return .weight
        case .pattern:
            let (keep, of) = try parsedPattern()
            return .pattern(keep: keep, of: of)
        }
    }

    private func parsedPattern() throws -> (keep: Int, of: Int) {
        let numbers = pattern.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
        guard numbers.count == 2, let keep = numbers[0], let of = numbers[1], keep >= 1, keep < of, of <= 64 else {
            throw SettingError(
                key: "pattern", got: "'\(pattern)'", expected: "N:M with 1 ≤ N < M ≤ 64, as 2:4")
        }
        return (keep, of)
    }
}
