import Layers

/// Builds the parts of a U-Net from its ends to its middle and back, keeping track of the current axis, of the skip
/// connections' axes, of the resolution, and of what each layer costs.
struct UNetConstruction {
    let configuration: UNetConfiguration
    let time: ChannelAxis
    let builder: ChannelAxisBuilder
    let settings: BlockSettings
    var terms: [ComputeTerm] = []
    private var height: Int, width: Int
    private var stream: ChannelAxis
    private var skips: [ChannelAxis] = []

    init(_ configuration: UNetConfiguration, time: ChannelAxis, builder: ChannelAxisBuilder, size: [Int]) {
        self.configuration = configuration
        self.time = time
        self.builder = builder
        (height, width) = (size[0], size[1])
        stream = .fixed("sample", width: configuration.inChannels)
        settings = BlockSettings(
            normGroups: configuration.normNumGroups ?? 1, epsilon: Float(configuration.normEps),
            activation: configuration.activation, scaleShift: configuration.resnetTimeScaleShift == .scaleShift)
    }

    private var pixels: Int { height * width }

    mutating func convIn() throws -> Conv2d {
        let output = try builder.axis("conv_in.out", width: configuration.blockOutChannels[0])
        let conv = Conv2d("conv_in", from: stream, to: output)
        terms.append(conv.computeTerm(outputPixels: pixels))
        stream = output
        skips = [stream]
        return conv
    }

    mutating func downLevels() throws -> [UNetLevel] {
        try configuration.downBlockTypes.enumerated().map { index, type in
            let name = "down_blocks.\(index)"
            let kind = UNetConfiguration.plain(type)
            let channels = configuration.blockOutChannels[index]
            var level = UNetLevel()
            for layer in 0..<configuration.layersPerBlock {
                level.resnets.append(try resnet("\(name).resnets.\(layer)", width: channels))
                if kind == "AttnDownBlock2D" {
                    level.attentions.append(
                        try attention("\(name).attentions.\(layer)", groups: settings.normGroups, rescale: 1))
                }
                skips.append(stream)
            }
            if index < configuration.blockOutChannels.count - 1 {
                let usesResnet =
                    kind == "ResnetDownsampleBlock2D"
                    || (kind == "AttnDownBlock2D" && configuration.downsampleType == .resnet)
                level.resampler = try downsampler("\(name).downsamplers.0", usesResnet: usesResnet, width: channels)
                skips.append(stream)
            }
            return level
        }
    }

    mutating func middle() throws -> UNetMiddle? {
        guard configuration.midBlockType != nil, let channels = configuration.blockOutChannels.last else { return nil }
        let scale = Float(configuration.midBlockScaleFactor)
        let first = try resnet("mid_block.resnets.0", width: channels, outputScale: scale)
        // diffusers leaves the normalisation out of this attention under "scale_shift" unless it is asked for.
        let groups = configuration.attnNormNumGroups ?? (settings.scaleShift ? nil : settings.normGroups)
        let middle =
            configuration.addAttention ? try attention("mid_block.attentions.0", groups: groups, rescale: scale) : nil
        let second = try resnet("mid_block.resnets.1", width: channels, outputScale: scale)
        return UNetMiddle(first: first, attention: middle, second: second)
    }

    mutating func upLevels() throws -> [UNetLevel] {
        let widths = Array(configuration.blockOutChannels.reversed())
        return try configuration.upBlockTypes.enumerated().map { index, type in
            let name = "up_blocks.\(index)"
            let kind = UNetConfiguration.plain(type)
            var level = UNetLevel()
            for layer in 0...configuration.layersPerBlock {
                stream = stream ++ skips.removeLast()
                level.resnets.append(try resnet("\(name).resnets.\(layer)", width: widths[index]))
                if kind == "AttnUpBlock2D" {
                    level.attentions.append(
                        try attention("\(name).attentions.\(layer)", groups: settings.normGroups, rescale: 1))
                }
            }
            if index < widths.count - 1 {
                let usesResnet =
                    kind == "ResnetUpsampleBlock2D"
                    || (kind == "AttnUpBlock2D" && configuration.upsampleType == .resnet)
                level.resampler = try upsampler("\(name).upsamplers.0", usesResnet: usesResnet, width: widths[index])
            }
            return level
        }
    }

    mutating func output() throws -> (GroupNorm, Conv2d) {
        let norm = try GroupNorm(
            "conv_norm_out", axis: stream, groupCount: settings.normGroups, epsilon: settings.epsilon)
        let conv = Conv2d("conv_out", from: stream, to: .fixed("prediction", width: configuration.outChannels))
        terms.append(conv.computeTerm(outputPixels: pixels))
        return (norm, conv)
    }

    // MARK: parts

    private mutating func resnet(
        _ name: String, width: Int, outputScale: Float = 1, resampling: ResnetBlock.Resampling = .none
    ) throws -> ResnetBlock {
        let block = try ResnetBlock(
            name, from: stream, width: width, time: time, settings: settings, builder: builder,
            outputScale: outputScale,
            resampling: resampling)
        terms += block.computeTerms(pixels: pixels)
        stream = block.output
        return block
    }

    private mutating func attention(_ name: String, groups: Int?, rescale: Float) throws -> SelfAttention {
        let channels = stream.originalWidth
        let headWidth = configuration.attentionHeadDim ?? channels
        let inner = try builder.axis(name + ".inner", width: channels / headWidth * headWidth, headWidth: headWidth)
        let block = try SelfAttention(
            name, stream: stream, inner: inner, headWidth: headWidth, groupCount: groups, epsilon: settings.epsilon,
            rescale: rescale)
        terms += block.computeTerms(pixels: pixels)
        return block
    }

    private mutating func downsampler(_ name: String, usesResnet: Bool, width channels: Int) throws -> Resampler {
        height /= 2
        width /= 2
        if usesResnet { return .resnet(try resnet(name, width: channels, resampling: .down)) }
        let output = try builder.axis(name + ".out", width: channels)
        let conv = Conv2d(
            name + ".conv", from: stream, to: output, stride: 2,
            padding: configuration.downsamplePadding == 1 ? .one : .bottomRight)
        terms.append(conv.computeTerm(outputPixels: pixels))
        stream = output
        return .downConvolution(conv)
    }

    private mutating func upsampler(_ name: String, usesResnet: Bool, width channels: Int) throws -> Resampler {
        height *= 2
        width *= 2
        if usesResnet { return .resnet(try resnet(name, width: channels, resampling: .up)) }
        let output = try builder.axis(name + ".out", width: channels)
        let conv = Conv2d(name + ".conv", from: stream, to: output)
        terms.append(conv.computeTerm(outputPixels: pixels))
        stream = output
        return .upConvolution(conv)
    }
}
