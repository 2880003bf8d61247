import Files
import Foundation
import Models
import Testing

@Suite struct UNetConfigurationTests {
    private func decode(_ json: String) throws -> UNetConfiguration {
        try JSONValue(parsing: json).decoded(as: UNetConfiguration.self)
    }

    @Test func missingKeysTakeDiffusersDefaults() throws {
        let configuration = try decode("{}")
        #expect(configuration == UNetConfiguration())
        // The signature of UNet2DModel.__init__ in diffusers 0.42.
        #expect(configuration.sampleSize == nil)
        #expect(configuration.blockOutChannels == [224, 448, 672, 896])
        #expect(
            configuration.downBlockTypes == ["DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"])
        #expect(configuration.upBlockTypes == ["AttnUpBlock2D", "AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"])
        #expect(configuration.midBlockType == "UNetMidBlock2D")
        #expect(configuration.inChannels == 3 && configuration.outChannels == 3 && configuration.layersPerBlock == 2)
        #expect(configuration.timeEmbeddingType == .positional && configuration.timeEmbeddingDim == nil)
        #expect(configuration.freqShift == 0 && configuration.flipSinToCos && !configuration.centerInputSample)
        #expect(configuration.activation == .silu && configuration.dropout == 0 && configuration.normEps == 1e-5)
        #expect(configuration.normNumGroups == 32 && configuration.attnNormNumGroups == nil)
        #expect(configuration.attentionHeadDim == 8 && configuration.addAttention)
        #expect(configuration.downsamplePadding == 1 && configuration.midBlockScaleFactor == 1)
        #expect(configuration.downsampleType == .conv && configuration.upsampleType == .conv)
        #expect(configuration.resnetTimeScaleShift == .default)
        #expect(configuration.classEmbedType == nil && configuration.numClassEmbeds == nil)
        #expect(configuration.numTrainTimesteps == nil)
        #expect(configuration.timeWidth == 896 && configuration.sizeDivisor == 8)
        try configuration.validate()
    }

    @Test(arguments: UNetFixture.names) func writtenConfigurationsReadBackTheSame(name: String) throws {
        let fixture = UNetFixture(name: name)
        let configuration = try fixture.configuration()
        let written = try JSONEncoder().encode(configuration)
        #expect(try JSONDecoder().decode(UNetConfiguration.self, from: written) == configuration)
        // Every key that diffusers writes, and with its value.
        let theirs = try #require(try JSONSerialization.jsonObject(with: fixture.configurationData()) as? [String: Any])
        let ours = try #require(try JSONSerialization.jsonObject(with: written) as? [String: Any])
        for key in UNetConfiguration.knownKeys where theirs[key] != nil && key != "act_fn" {
            if let number = theirs[key] as? NSNumber {
                #expect(number == ours[key] as? NSNumber, "\(name): \(key)")
            } else {
                #expect("\(theirs[key] ?? "")" == "\(ours[key] ?? "")", "\(name): \(key)")
            }
        }
        #expect(Set(theirs.keys).subtracting(UNetConfiguration.knownKeys) == ["_class_name", "_diffusers_version"])
    }

    @Test func nullsThatMeanSomethingAreKept() throws {
        let configuration = try decode(
            #"{"attention_head_dim": null, "mid_block_type": null, "time_embedding_dim": 0}"#)
        #expect(configuration.attentionHeadDim == nil)
        #expect(configuration.midBlockType == nil)
        #expect(configuration.timeWidth == 896)
        let back = try JSONDecoder().decode(UNetConfiguration.self, from: JSONEncoder().encode(configuration))
        #expect(back == configuration)
    }

    @Test func spellingsOfValues() throws {
        #expect(try decode(#"{"sample_size": 16}"#).sampleSize == [16, 16])
        #expect(try decode(#"{"sample_size": [8, 16]}"#).sampleSize == [8, 16])
        #expect(try decode(#"{"act_fn": "Swish"}"#).activation == .silu)
        #expect(try decode(#"{"act_fn": "GELU"}"#).activation == .gelu)
        #expect(try decode(#"{"dropout": 0}"#).dropout == 0)
    }

    /// Each bad value with the key that the message must name.
    static let badValues: [(key: String, json: String)] = [
        ("sample_size", #""big""#), ("sample_size", "[16]"), ("sample_size", "[16, 16, 16]"), ("sample_size", "[]"),
        ("sample_size", "12"), ("sample_size", "0"), ("sample_size", "-8"), ("sample_size", "16384"),
        ("in_channels", "0"), ("in_channels", "-3"), ("in_channels", "1000000"), ("in_channels", "1.5"),
        ("in_channels", #""3""#), ("out_channels", "0"), ("out_channels", "[3]"), ("center_input_sample", "1.5"),
        ("center_input_sample", #""yes""#), ("time_embedding_type", #""sinus""#), ("time_embedding_type", "3"),
        ("time_embedding_type", #""learned""#), ("time_embedding_dim", "-1"), ("time_embedding_dim", "100000000"),
        ("freq_shift", "-1"), ("freq_shift", "16"), ("freq_shift", #""one""#), ("flip_sin_to_cos", #""no""#),
        ("down_block_types", "[]"), ("down_block_types", #"["DownBlock2D"]"#), ("down_block_types", #""DownBlock2D""#),
        ("down_block_types", #"["DownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D", "DownBlock2D"]"#),
        ("down_block_types", #"["DownBlock2D", "UpBlock2D", "DownBlock2D", "DownBlock2D"]"#),
        ("up_block_types", #"["UpBlock2D"]"#),
        ("up_block_types", #"["UpBlock2D", "KUpBlock2D", "UpBlock2D", "UpBlock2D"]"#), ("mid_block_type", "3"),
        ("block_out_channels", "[]"), ("block_out_channels", "[32, 0, 32, 32]"),
        ("block_out_channels", "[32, -32, 32, 32]"),
        ("block_out_channels", "[32, 1000000, 32, 32]"), ("block_out_channels", "32"),
        ("block_out_channels", "[32,32,32,32,32,32,32,32,32,32,32,32,32]"), ("layers_per_block", "0"),
        ("layers_per_block", "1000"), ("mid_block_scale_factor", "0"),
        ("mid_block_scale_factor", "-1"), ("downsample_padding", "2"), ("downsample_padding", "-1"),
        ("downsample_type", #""pool""#), ("upsample_type", #""nearest""#), ("dropout", "1"), ("dropout", "-0.1"),
        ("dropout", #""half""#), ("act_fn", #""tanh""#), ("act_fn", #""identity""#), ("act_fn", "1"),
        ("attention_head_dim", "0"), ("attention_head_dim", "-8"), ("attention_head_dim", "33"),
        ("norm_num_groups", "0"), ("norm_num_groups", "5"), ("norm_num_groups", "-4"), ("norm_num_groups", "null"),
        ("attn_norm_num_groups", "0"), ("attn_norm_num_groups", "7"), ("norm_eps", "0"), ("norm_eps", "-1e-5"),
        ("norm_eps", "1"), ("resnet_time_scale_shift", #""scale""#), ("add_attention", "7"),
        ("class_embed_type", #""projection""#), ("num_class_embeds", "0"), ("num_class_embeds", "-1"),
        ("num_class_embeds", "100000000"), ("num_train_timesteps", "0"), ("num_train_timesteps", "1e9"),
    ]

    @Test(arguments: badValues.map { [$0.key, $0.json] })
    func aBadValueIsRefusedByItsKey(entry: [String]) throws {
        let (key, json) = (entry[0], entry[1])
        var values = [
            "block_out_channels": "[32, 32, 32, 32]", "norm_num_groups": "8", "sample_size": "32",
            "attention_head_dim": "8",
        ]
        try #require(try UNet(decode(Self.object(values))).parameterCount > 0)
        values[key] = json
        // A learned embedding lacks its table's size, which is another key.
        let named = key == "time_embedding_type" && json.contains("learned") ? "num_train_timesteps" : key
        #expect {
            _ = try UNet(decode(Self.object(values)))
        } throws: { error in
            guard let error = error as? SettingError else { return false }
            return error.key.prefix { $0 != "[" } == named && !error.expected.isEmpty
                && "\(error)".contains("'\(named)")
        }
    }

    private func pyramid(_ down: [String], _ up: [String], _ change: (inout UNetConfiguration) -> Void = { _ in })
        -> UNetConfiguration
    {
        var configuration = UNetConfiguration()
        configuration.downBlockTypes = down
        configuration.upBlockTypes = up
        configuration.blockOutChannels = Array(repeating: 32, count: down.count)
        configuration.layersPerBlock = 1
        change(&configuration)
        return configuration
    }

    /// The image pyramid changes size with its own levels only, so they come in one run, from the full size down.
    @Test func anImagePyramidIsReadFirstAndDrawnLast() throws {
        let (skipDown, skipUp) = ("SkipDownBlock2D", "AttnSkipUpBlock2D")
        let (down, up) = ("DownBlock2D", "UpBlock2D")
        for (downs, ups) in [
            ([skipDown, skipDown, skipDown], [skipUp, skipUp, skipUp]), ([skipDown, down, down], [up, up, skipUp]),
            ([down, down, skipDown], [up, skipUp, skipUp]), ([down, down, down], [up, up, up]),
        ] {
            _ = try UNet(pyramid(downs, ups))
        }
        func expectRefusal(_ configuration: UNetConfiguration, key: String, saying part: String) {
            #expect {
                _ = try UNet(configuration)
            } throws: {
                "\($0)".contains("'\(key)'") && "\($0)".contains(part)
            }
        }
        let plain = [down, down, down]
        expectRefusal(
            pyramid([down, skipDown, down], [up, up, up]), key: "down_block_types", saying: "before all others")
        expectRefusal(pyramid(plain, [skipUp, up, skipUp]), key: "up_block_types", saying: "after all others")
        expectRefusal(pyramid(plain, [up, skipUp, up]), key: "up_block_types", saying: "after all others")
        expectRefusal(
            pyramid([skipDown, down, down], [up, up, up]) { $0.inChannels = 1 }, key: "in_channels", saying: "3")
        expectRefusal(pyramid(plain, [up, skipUp, skipUp]) { $0.outChannels = 6 }, key: "out_channels", saying: "3")
        // One level neither reads nor draws.
        _ = try UNet(pyramid([skipDown], [skipUp]) { ($0.inChannels, $0.outChannels) = (1, 1) })
    }

    @Test func onlyImagePyramidsGoWithoutANumberOfGroups() throws {
        let (down, up) = (["SkipDownBlock2D", "AttnSkipDownBlock2D"], ["SkipUpBlock2D", "SkipUpBlock2D"])
        _ = try UNet(pyramid(down, up) { $0.normNumGroups = nil })
        for (downs, ups) in [(["SkipDownBlock2D", "DownBlock2D"], up), (down, ["UpBlock2D", "SkipUpBlock2D"])] {
            #expect(throws: SettingError.self) { try UNet(pyramid(downs, ups) { $0.normNumGroups = nil }) }
        }
        // Their own groups need not divide what they do not normalise.
        _ = try UNet(
            pyramid(["SkipDownBlock2D", "SkipDownBlock2D"], up) {
                $0.blockOutChannels = [8, 12]
                $0.normNumGroups = 8
                $0.midBlockType = nil
            })
        #expect(throws: SettingError.self) {
            try UNet(
                pyramid(["SkipDownBlock2D", "DownBlock2D"], up) {
                    $0.blockOutChannels = [8, 12]
                    $0.normNumGroups = 8
                    $0.midBlockType = nil
                })
        }
        // Attention always has 32 groups, and says where they do not fit.
        #expect {
            _ = try UNet(
                pyramid(["SkipDownBlock2D", "AttnSkipDownBlock2D"], up) {
                    $0.blockOutChannels = [32, 48]
                    $0.normNumGroups = nil
                })
        } throws: {
            "\($0)".contains("down_blocks.1.attentions.0") && "\($0)".contains("48") && "\($0)".contains("32")
        }
    }

    private static func object(_ values: [String: String]) -> String {
        "{" + values.sorted { $0.key < $1.key }.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", ") + "}"
    }
}
