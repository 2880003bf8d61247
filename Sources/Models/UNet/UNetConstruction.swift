import Layers

/// Builds the parts of a U-Net from its ends to its middle and back, keeping track of the current axis, of the skip
/// connections' axes, of the resolution, and of what each layer costs.
struct UNetConstruction {
    let configuration: UNetConfiguration
    let time: ChannelAxis
    let builder: ChannelAxisBuilder
    let settings: BlockSettings
    var terms: [ComputeTerm] = []
    private let sample: ChannelAxis, prediction: ChannelAxis
    private var height: Int, width: Int
    private var stream: ChannelAxis
    private var skips: [ChannelAxis] = []

    init(_ configuration: UNetConfiguration, time: ChannelAxis, builder: ChannelAxisBuilder, size: [Int]) {
        self.configuration = configuration
        self.time = time
        self.builder = builder
        (height, width) = (size[0], size[1])
        sample = .fixed("sample", width: configuration.inChannels)
        prediction = .fixed("prediction", width: configuration.outChannels)
        stream = sample
        settings = BlockSettings(
            epsilon: Float(configuration.normEps), activation: configuration.activation,
            scaleShift: configuration.resnetTimeScaleShift == .scaleShift)
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
            let kind = LevelKind(type, resampling: configuration.downsampleType)
            let channels = configuration.blockOutChannels[index]
            var level = UNetLevel()
            for layer in 0..<configuration.layersPerBlock {
                level.resnets.append(
                    try resnet("\(name).resnets.\(layer)", width: channels, variant: variant(kind, width: channels)))
                level.attentions.append(
                    kind.attends ? try attention("\(name).attentions.\(layer)", of: kind) : nil)
                skips.append(stream)
            }
            if index < configuration.blockOutChannels.count - 1 {
                level.resampler = try downsampler(name, kind, width: channels)
                if kind.meetsPyramid { level.pyramid = pyramidInput(name) }
                skips.append(stream)
            }
            return level
        }
    }

    mutating func middle() throws -> UNetMiddle? {
        guard configuration.midBlockType != nil, let channels = configuration.blockOutChannels.last else { return nil }
        let scale = Float(configuration.midBlockScaleFactor)
        let groups = normGroups(channels)
        let variant = ResnetVariant(inputGroups: groups, innerGroups: groups, outputScale: scale)
        let first = try resnet("mid_block.resnets.0", width: channels, variant: variant)
        // diffusers leaves the normalisation out of this attention under "scale_shift" unless it is asked for.
        let attentionGroups = configuration.attnNormNumGroups ?? (settings.scaleShift ? nil : groups)
        let middle =
            configuration.addAttention
            ? try attention("mid_block.attentions.0", groups: attentionGroups, rescale: scale) : nil
        let second = try resnet("mid_block.resnets.1", width: channels, variant: variant)
        return UNetMiddle(first: first, attention: middle, second: second)
    }

    mutating func upLevels() throws -> [UNetLevel] {
        let widths = Array(configuration.blockOutChannels.reversed())
        return try configuration.upBlockTypes.enumerated().map { index, type in
            let name = "up_blocks.\(index)"
            let kind = LevelKind(type, resampling: configuration.upsampleType)
            let isLast = index == widths.count - 1
            var level = UNetLevel()
            for layer in 0...configuration.layersPerBlock {
                let skip = skips.removeLast()
                let variant = variant(kind, width: widths[index], skip: skip)
                stream = stream + skip
                level.resnets.append(
                    try resnet("\(name).resnets.\(layer)", width: widths[index], variant: variant))
                level.attentions.append(
                    kind.attends && !kind.meetsPyramid ? try attention("\(name).attentions.\(layer)", of: kind) : nil)
            }
            // With a pyramid there is one attention, after the last ResNet block.
            if kind.attends && kind.meetsPyramid {
                level.attentions[configuration.layersPerBlock] = try attention("\(name).attentions.0", of: kind)
            }
            if kind.meetsPyramid { level.pyramid = isLast ? .enlargement : try pyramidOutput(name) }
            if !isLast { level.resampler = try upsampler(name, kind, width: widths[index]) }
            return level
        }
    }

    mutating func output() throws -> (GroupNorm, Conv2d) {
        let norm = try GroupNorm(
            "conv_norm_out", axis: stream, groupCount: normGroups(configuration.blockOutChannels[0]),
            epsilon: settings.epsilon)
        let conv = Conv2d("conv_out", from: stream, to: prediction)
        terms.append(conv.computeTerm(outputPixels: pixels))
        return (norm, conv)
    }

    // MARK: parts

    /// Where the configuration says nothing (it has to for blocks that meet no pyramid) diffusers takes this number.
    private func normGroups(_ width: Int) -> Int {
        configuration.normNumGroups ?? LevelKind.pyramidGroups(width)
    }

    /// - Parameter skip: in an up block, what will be concatenated to the stream.
    private func variant(_ kind: LevelKind, width: Int, skip: ChannelAxis? = nil) -> ResnetVariant {
        guard kind.meetsPyramid else {
            return ResnetVariant(inputGroups: normGroups(width), innerGroups: normGroups(width))
        }
        return ResnetVariant(
            inputGroups: kind.pyramidInputGroups(stream.originalWidth, skip: skip?.originalWidth ?? 0),
            innerGroups: LevelKind.pyramidGroups(width), outputScale: LevelKind.pyramidScale)
    }

    private mutating func resnet(_ name: String, width: Int, variant: ResnetVariant) throws -> ResnetBlock {
        let block = try ResnetBlock(
            name, from: stream, width: width, time: time, settings: settings, variant: variant, builder: builder)
        terms += block.computeTerms(pixels: pixels)
        stream = block.output
        return block
    }

    private mutating func attention(_ name: String, of kind: LevelKind) throws -> SelfAttention {
        kind.meetsPyramid
            ? try attention(name, groups: LevelKind.pyramidAttentionGroups, rescale: LevelKind.pyramidScale)
            : try attention(name, groups: normGroups(stream.originalWidth), rescale: 1)
    }

    private mutating func attention(_ name: String, groups: Int?, rescale: Float) throws -> SelfAttention {
        let channels = stream.originalWidth
        let headWidth = configuration.attentionHeadDim ?? channels
        let inner = try builder.axis(
            name + ".inner", width: channels / headWidth * headWidth, headWidth: headWidth, isRemovable: true)
        let block = try SelfAttention(
            name, stream: stream, inner: inner, headWidth: headWidth, groupCount: groups, epsilon: settings.epsilon,
            rescale: rescale)
        terms += block.computeTerms(pixels: pixels)
        return block
    }

    private mutating func downsampler(_ level: String, _ kind: LevelKind, width channels: Int) throws -> Resampler {
        height /= 2
        width /= 2
        if kind.resamplesByResnet {
            let name = level + (kind.meetsPyramid ? ".resnet_down" : ".downsamplers.0")
            return .resnet(
                try resampling(name, kind, width: channels, by: kind.meetsPyramid ? .filteredDown : .averagedDown))
        }
        let name = level + ".downsamplers.0"
        let output = try builder.axis(name + ".out", width: channels)
        let conv = Conv2d(
            name + ".conv", from: stream, to: output, stride: 2,
            padding: configuration.downsamplePadding == 1 ? .one : .bottomRight)
        terms.append(conv.computeTerm(outputPixels: pixels))
        stream = output
        return .downConvolution(conv)
    }

    private mutating func upsampler(_ level: String, _ kind: LevelKind, width channels: Int) throws -> Resampler {
        height *= 2
        width *= 2
        if kind.resamplesByResnet {
            let name = level + (kind.meetsPyramid ? ".resnet_up" : ".upsamplers.0")
            return .resnet(
                try resampling(name, kind, width: channels, by: kind.meetsPyramid ? .filteredUp : .nearestUp))
        }
        let name = level + ".upsamplers.0"
        let output = try builder.axis(name + ".out", width: channels)
        let conv = Conv2d(name + ".conv", from: stream, to: output)
        terms.append(conv.computeTerm(outputPixels: pixels))
        stream = output
        return .upConvolution(conv)
    }

    private mutating func resampling(
        _ name: String, _ kind: LevelKind, width: Int, by resampling: ResnetVariant.Resampling
    ) throws -> ResnetBlock {
        var variant = variant(kind, width: width)
        variant.resampling = resampling
        variant.hasShortcut = kind.meetsPyramid
        return try resnet(name, width: width, variant: variant)
    }

    private mutating func pyramidInput(_ level: String) -> ImagePyramid {
        let conv = Conv2d(level + ".skip_conv", from: sample, to: stream, kernel: 1, padding: .none)
        terms.append(conv.computeTerm(outputPixels: pixels))
        return .input(conv)
    }

    private mutating func pyramidOutput(_ level: String) throws -> ImagePyramid {
        let norm = try GroupNorm(
            level + ".skip_norm", axis: stream, groupCount: LevelKind.pyramidGroups(stream.originalWidth),
            epsilon: settings.epsilon)
        let conv = Conv2d(level + ".skip_conv", from: stream, to: prediction)
        terms.append(conv.computeTerm(outputPixels: pixels))
        return .output(norm, conv)
    }
}
