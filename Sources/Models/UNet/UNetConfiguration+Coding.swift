import Files
import TensorCore

/// Reads and writes `unet/config.json`. Missing keys take diffusers' defaults; keys this type does not know are left to
/// the caller to warn about (`unknownKeys`).
extension UNetConfiguration: Codable {
    enum CodingKeys: String, CodingKey, CaseIterable {
        case sampleSize = "sample_size"
        case inChannels = "in_channels"
        case outChannels = "out_channels"
        case centerInputSample = "center_input_sample"
        case timeEmbeddingType = "time_embedding_type"
        case timeEmbeddingDim = "time_embedding_dim"
        case freqShift = "freq_shift"
        case flipSinToCos = "flip_sin_to_cos"
        case downBlockTypes = "down_block_types"
        case midBlockType = "mid_block_type"
        case upBlockTypes = "up_block_types"
        case blockOutChannels = "block_out_channels"
        case layersPerBlock = "layers_per_block"
        case midBlockScaleFactor = "mid_block_scale_factor"
        case downsamplePadding = "downsample_padding"
        case downsampleType = "downsample_type"
        case upsampleType = "upsample_type"
        case dropout
        case activation = "act_fn"
        case attentionHeadDim = "attention_head_dim"
        case normNumGroups = "norm_num_groups"
        case attnNormNumGroups = "attn_norm_num_groups"
        case normEps = "norm_eps"
        case resnetTimeScaleShift = "resnet_time_scale_shift"
        case addAttention = "add_attention"
        case classEmbedType = "class_embed_type"
        case numClassEmbeds = "num_class_embeds"
        case numTrainTimesteps = "num_train_timesteps"
    }

    /// Every key of the file that has a meaning here.
    public static var knownKeys: [String] { CodingKeys.allCases.map(\.rawValue) }

    public init(from decoder: any Decoder) throws {
        self.init()
        let values = try decoder.container(keyedBy: CodingKeys.self)

        /// A value where the key is there and not null.
        func value<T: Decodable>(_ type: T.Type, _ key: CodingKeys) throws -> T? {
            try values.decodeIfPresent(type, forKey: key)
        }
        /// Reads a value that cannot be null: diffusers takes null for false, or fails on it.
        func read<T: Decodable>(_ key: CodingKeys, into target: inout T) throws {
            if values.contains(key) { target = try values.decode(T.self, forKey: key) }
        }

        if let side = try? values.decode(Int.self, forKey: .sampleSize) {
            sampleSize = [side, side]
        } else {
            do {
                sampleSize = try value([Int].self, .sampleSize)
            } catch {
                throw SettingError(
                    key: CodingKeys.sampleSize.rawValue, got: "of another kind",
                    expected: "a whole number, or a list of two")
            }
        }
        try read(.inChannels, into: &inChannels)
        try read(.outChannels, into: &outChannels)
        try read(.centerInputSample, into: &centerInputSample)
        try read(.timeEmbeddingType, into: &timeEmbeddingType)
        timeEmbeddingDim = try value(Int.self, .timeEmbeddingDim)
        try read(.freqShift, into: &freqShift)
        try read(.flipSinToCos, into: &flipSinToCos)
        try read(.downBlockTypes, into: &downBlockTypes)
        if values.contains(.midBlockType) {
            midBlockType = try value(String.self, .midBlockType)
        }
        try read(.upBlockTypes, into: &upBlockTypes)
        try read(.blockOutChannels, into: &blockOutChannels)
        try read(.layersPerBlock, into: &layersPerBlock)
        try read(.midBlockScaleFactor, into: &midBlockScaleFactor)
        try read(.downsamplePadding, into: &downsamplePadding)
        downsampleType = try value(Resampling.self, .downsampleType) ?? downsampleType
        upsampleType = try value(Resampling.self, .upsampleType) ?? upsampleType
        try read(.dropout, into: &dropout)
        if values.contains(.activation) {
            activation = try Self.activation(named: values.decode(String.self, forKey: .activation))
        }
        if values.contains(.attentionHeadDim) {
            attentionHeadDim = try value(Int.self, .attentionHeadDim)
        }
        if values.contains(.normNumGroups) {
            normNumGroups = try value(Int.self, .normNumGroups)
        }
        attnNormNumGroups = try value(Int.self, .attnNormNumGroups)
        try read(.normEps, into: &normEps)
        try read(.resnetTimeScaleShift, into: &resnetTimeScaleShift)
        try read(.addAttention, into: &addAttention)
        classEmbedType = try value(ClassEmbedding.self, .classEmbedType)
        numClassEmbeds = try value(Int.self, .numClassEmbeds)
        numTrainTimesteps = try value(Int.self, .numTrainTimesteps)
    }

    private static func activation(named name: String) throws -> Activation {
        let lower = name.lowercased()
        if lower == "swish" { return .silu }
        guard let activation = Activation(rawValue: lower), activation != .identity else {
            throw SettingError(
                key: CodingKeys.activation.rawValue, got: "'\(name)'",
                expected: Spelling.choice(of: ["silu", "swish", "gelu", "mish", "relu"], got: name))
        }
        return activation
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        if let size = sampleSize, size[0] == size[1] {
            try values.encode(size[0], forKey: .sampleSize)
        } else {
            try values.encode(sampleSize, forKey: .sampleSize)
        }
        try values.encode(inChannels, forKey: .inChannels)
        try values.encode(outChannels, forKey: .outChannels)
        try values.encode(centerInputSample, forKey: .centerInputSample)
        try values.encode(timeEmbeddingType, forKey: .timeEmbeddingType)
        try values.encode(timeEmbeddingDim, forKey: .timeEmbeddingDim)
        try values.encode(freqShift, forKey: .freqShift)
        try values.encode(flipSinToCos, forKey: .flipSinToCos)
        try values.encode(downBlockTypes, forKey: .downBlockTypes)
        try values.encode(midBlockType, forKey: .midBlockType)
        try values.encode(upBlockTypes, forKey: .upBlockTypes)
        try values.encode(blockOutChannels, forKey: .blockOutChannels)
        try values.encode(layersPerBlock, forKey: .layersPerBlock)
        try values.encode(midBlockScaleFactor, forKey: .midBlockScaleFactor)
        try values.encode(downsamplePadding, forKey: .downsamplePadding)
        try values.encode(downsampleType, forKey: .downsampleType)
        try values.encode(upsampleType, forKey: .upsampleType)
        try values.encode(dropout, forKey: .dropout)
        try values.encode(activation, forKey: .activation)
        try values.encode(attentionHeadDim, forKey: .attentionHeadDim)
        try values.encode(normNumGroups, forKey: .normNumGroups)
        try values.encode(attnNormNumGroups, forKey: .attnNormNumGroups)
        try values.encode(normEps, forKey: .normEps)
        try values.encode(resnetTimeScaleShift, forKey: .resnetTimeScaleShift)
        try values.encode(addAttention, forKey: .addAttention)
        try values.encode(classEmbedType, forKey: .classEmbedType)
        try values.encode(numClassEmbeds, forKey: .numClassEmbeds)
        try values.encode(numTrainTimesteps, forKey: .numTrainTimesteps)
    }
}
