import Files
import Foundation

extension UNetConfiguration {
    static let downBlocks = [
        "DownBlock2D", "AttnDownBlock2D", "ResnetDownsampleBlock2D", "SkipDownBlock2D", "AttnSkipDownBlock2D",
    ]
    static let upBlocks = [
        "UpBlock2D", "AttnUpBlock2D", "ResnetUpsampleBlock2D", "SkipUpBlock2D", "AttnSkipUpBlock2D",
    ]
    static let midBlock = "UNetMidBlock2D"
    /// Larger than any published pixel-space U-Net; a bound that keeps nonsense from being allocated.
    static let widest = 16_384

    /// Checks every value on its own and against the others.
    public func validate() throws {
        try require(
            !blockOutChannels.isEmpty && blockOutChannels.count <= 12, "block_out_channels", got: blockOutChannels,
            expected: "1 to 12 levels")
        for width in blockOutChannels {
            try require(
                (1...Self.widest).contains(width), "block_out_channels", got: blockOutChannels,
                expected: "widths in 1...\(Self.widest)")
        }
        try require((1...1024).contains(inChannels), "in_channels", got: inChannels, expected: "1...1024")
        try require((1...1024).contains(outChannels), "out_channels", got: outChannels, expected: "1...1024")
        try require((1...64).contains(layersPerBlock), "layers_per_block", got: layersPerBlock, expected: "1...64")
        try require(
            downBlockTypes.count == blockOutChannels.count, "down_block_types", got: downBlockTypes,
            expected: "\(blockOutChannels.count) entries, one a level")
        try require(
            upBlockTypes.count == blockOutChannels.count, "up_block_types", got: upBlockTypes,
            expected: "\(blockOutChannels.count) entries, one a level")
        for type in downBlockTypes {
            try require(
                Self.downBlocks.contains(Self.plain(type)), "down_block_types", got: "'\(type)'",
                expected: Spelling.choice(of: Self.downBlocks, got: type))
        }
        for type in upBlockTypes {
            try require(
                Self.upBlocks.contains(Self.plain(type)), "up_block_types", got: "'\(type)'",
                expected: Spelling.choice(of: Self.upBlocks, got: type))
        }
        if let type = midBlockType {
            try require(
                type == Self.midBlock, "mid_block_type", got: "'\(type)'",
                expected: "'\(Self.midBlock)' or null (diffusers takes any other name for '\(Self.midBlock)')")
        }
        try checkPyramid()
        if let size = sampleSize {
            try require(
                size.count == 2 && size.allSatisfy { (1...8192).contains($0) && $0 % sizeDivisor == 0 }, "sample_size",
                got: size, expected: "multiples of \(sizeDivisor) (2^(levels − 1)), up to 8192")
        }
        try checkNormGroups()
        if let groups = attnNormNumGroups {
            try require(
                groups > 0 && blockOutChannels.last! % groups == 0, "attn_norm_num_groups", got: groups,
                expected: "a divisor of the last width \(blockOutChannels.last!)")
        }
        if let width = attentionHeadDim {
            try require(width > 0, "attention_head_dim", got: width, expected: "at least 1, or null")
            for (type, channels) in zip(downBlockTypes + upBlockTypes, blockOutChannels + blockOutChannels.reversed())
            where type.contains("Attn") {
                try require(
                    width <= channels, "attention_head_dim", got: width,
                    expected: "at most the level's width \(channels)")
            }
            if midBlockType != nil && addAttention {
                try require(
                    width <= blockOutChannels.last!, "attention_head_dim", got: width,
                    expected: "at most the last width \(blockOutChannels.last!)")
            }
        }
        if let width = timeEmbeddingDim {
            try require(
                (0...Self.widest * 8).contains(width), "time_embedding_dim", got: width,
                expected: "0...\(Self.widest * 8)")
        }
        try require(
            (0...1).contains(downsamplePadding), "downsample_padding", got: downsamplePadding, expected: "0 or 1")
        try require((0..<1).contains(dropout), "dropout", got: dropout, expected: "in [0, 1)")
        try require(normEps > 0 && normEps < 1, "norm_eps", got: normEps, expected: "in (0, 1)")
        try require(
            midBlockScaleFactor.isFinite && midBlockScaleFactor > 0, "mid_block_scale_factor", got: midBlockScaleFactor,
            expected: "above 0")
        try require(freqShift.isFinite && freqShift >= 0, "freq_shift", got: freqShift, expected: "at least 0")
        if timeEmbeddingType == .positional {
            try require(
                Double(blockOutChannels[0] / 2) != freqShift, "freq_shift", got: freqShift,
                expected: "other than half the first width, which would divide by zero")
        }
        if timeEmbeddingType == .learned {
            try require(
                (numTrainTimesteps ?? 0) > 0, "num_train_timesteps", got: numTrainTimesteps.map(String.init) ?? "null",
                expected: "at least 1 for a learned time embedding")
        }
        if let steps = numTrainTimesteps {
            try require((1...1_000_000).contains(steps), "num_train_timesteps", got: steps, expected: "1...1000000")
        }
        if let classes = numClassEmbeds {
            try require((1...1_000_000).contains(classes), "num_class_embeds", got: classes, expected: "1...1000000")
        }
        try checkMemory()
    }

    /// The image pyramid has three channels whatever the model's have, and halves or doubles once a level that has one:
    /// on the way down such levels come first, on the way up last (diffusers fails on other orders in its first call).
    private func checkPyramid() throws {
        let reading = downBlockTypes.dropLast().map(Self.meetsPyramid)
        let writing = upBlockTypes.dropLast().map(Self.meetsPyramid)
        try require(
            !reading.drop { $0 }.contains(true), "down_block_types", got: downBlockTypes,
            expected: "Skip and AttnSkip blocks before all others (the last block apart)")
        try require(
            !(writing + [Self.meetsPyramid(upBlockTypes[writing.count])]).drop { !$0 }.contains(false)
                || !writing.contains(true), "up_block_types", got: upBlockTypes,
            expected: "Skip and AttnSkip blocks after all others")
        try require(
            !reading.contains(true) || inChannels == 3, "in_channels", got: inChannels, expected: "3 with Skip blocks")
        try require(
            !writing.contains(true) || outChannels == 3, "out_channels", got: outChannels,
            expected: "3 with Skip blocks")
    }

    /// Every normalisation's width must be a multiple of its groups. Skip and AttnSkip blocks choose theirs themselves.
    private func checkNormGroups() throws {
        let levels = blockOutChannels.indices
        let plainDown = levels.filter { !Self.meetsPyramid(downBlockTypes[$0]) }
        // Up blocks run from the last level to the first.
        let plainUp = levels.filter { !Self.meetsPyramid(upBlockTypes[levels.count - 1 - $0]) }
        guard let groups = normNumGroups else {
            try require(
                plainDown.isEmpty && plainUp.isEmpty, "norm_num_groups", got: "null",
                expected: "a number of groups (null is for Skip and AttnSkip blocks alone)")
            return
        }
        var normalized: Set<Int> = [0]
        if midBlockType != nil { normalized.insert(levels.count - 1) }
        for level in plainDown { normalized.formUnion([level - 1, level]) }
        for level in plainUp { normalized.formUnion([level - 1, level, level + 1]) }
        let widths = levels.filter(normalized.contains).map { blockOutChannels[$0] }
        try require(
            groups > 0 && widths.allSatisfy { $0 % groups == 0 }, "norm_num_groups", got: groups,
            expected: "a divisor of every normalised width: \(widths)")
    }

    /// Refuses widths whose weights cannot be held, before anything is allocated. Counts one 3×3 convolution a ResNet
    /// block and one time layer, so nothing that would have fitted is refused.
    private func checkMemory() throws {
        let blocks = Double(2 * layersPerBlock + 1)
        let time = Double(timeWidth)
        let weights =
            blockOutChannels.reduce(0.0) { $0 + 9 * blocks * Double($1) * Double($1) } + time * time
            + time * Double(numClassEmbeds ?? 0)
        let memory = Double(ProcessInfo.processInfo.physicalMemory)
        try require(
            4 * weights <= memory, "block_out_channels", got: blockOutChannels,
            expected:
                "widths (and a time embedding) whose weights fit this machine's memory: "
                + "these take over \(Int(4 * weights / 1e9)) GB"
        )
    }

    /// diffusers drops a leading "UNetRes" of a block type's name.
    static func plain(_ type: String) -> String {
        type.hasPrefix("UNetRes") ? String(type.dropFirst("UNetRes".count)) : type
    }

    /// Whether an image pyramid runs beside any block.
    var hasPyramid: Bool { (downBlockTypes + upBlockTypes).contains(where: Self.meetsPyramid) }

    /// Whether an image pyramid runs beside a block of this type.
    static func meetsPyramid(_ type: String) -> Bool { ["Skip", "AttnSkip"].contains { plain(type).hasPrefix($0) } }
}
