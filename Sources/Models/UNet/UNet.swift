import Foundation
import Layers
import TensorCore

/// Conditioning of a class-conditional model.
public enum ClassLabels {
    /// Class numbers; for `class_embed_type` "timestep" any real numbers.
    case numbers([Float])
    /// Vectors `[B, time width]`, added as they are (`class_embed_type` "identity").
    case vectors(Tensor)
}

extension ClassLabels {
    /// Those of images `range`.
    public func rows(_ range: Range<Int>) -> ClassLabels {
        switch self {
        case .numbers(let numbers): .numbers(Array(numbers[range]))
        case .vectors(let vectors): .vectors(vectors.rows(range).copied())
        }
    }
}

/// The denoising U-Net of diffusers (`UNet2DModel`), built over named channel axes so that channels which can only be
/// removed together are known by construction. Activations are NHWC.
public final class UNet: BlockCheckpointing {
    public let configuration: UNetConfiguration
    /// Every prunable axis in order of construction.
    public let channelGroups: [ChannelGroup]
    /// Multiply–accumulates by layer, for images of `size`.
    public let computeTerms: [ComputeTerm]
    /// Height and width that compute terms are for.
    public let size: [Int]

    public var usesGradientCheckpointing = false
    /// How many timesteps it learns: those that its time embedding is fitted over where that becomes narrower.
    public var timestepCount = 1000

    package let timeProjection: TimeProjection
    package let timeEmbedding: TimestepEmbedding
    package let classEmbedding: ClassEmbedder
    let timeAxis: ChannelAxis
    let timeReaders: TimeReaders
    let resnets: [ResnetBlock]
    package let convIn: Conv2d
    package let downLevels: [UNetLevel]
    package let middle: UNetMiddle?
    package let upLevels: [UNetLevel]
    package let normOut: GroupNorm
    package let convOut: Conv2d

    /// - Parameters:
    ///   - configuration: the architecture.
    ///   - kept: for a pruned model, the channels left of each axis that lost some, by axis name.
    ///   - size: height and width where the configuration has none.
    public init(_ configuration: UNetConfiguration, kept: [String: [Int]] = [:], size: [Int]? = nil) throws {
        try configuration.validate()
        self.configuration = configuration
        let divisor = configuration.sizeDivisor
        self.size = configuration.sampleSize ?? size ?? [max(32, divisor), max(32, divisor)]
        let builder = ChannelAxisBuilder(kept: kept)

        timeProjection = TimeProjection(configuration)
        timeAxis = try builder.axis("time_embedding.out", width: configuration.timeWidth)
        timeEmbedding = try TimestepEmbedding(
            "time_embedding", from: timeProjection.axis, to: timeAxis, builder: builder)
        classEmbedding = try ClassEmbedder(
            configuration, timeProjection: timeProjection.axis, to: timeAxis, builder: builder)

        var construction = UNetConstruction(configuration, time: timeAxis, builder: builder, size: self.size)
        construction.terms += timeEmbedding.computeTerms + classEmbedding.computeTerms
        convIn = try construction.convIn()
        downLevels = try construction.downLevels()
        middle = try construction.middle()
        upLevels = try construction.upLevels()
        (normOut, convOut) = try construction.output()
        resnets =
            (downLevels + upLevels).flatMap { $0.resnets + [$0.resampler?.resnet].compactMap { $0 } }
            + (middle.map { [$0.first, $0.second] } ?? [])
        timeReaders = TimeReaders(resnets)

        try builder.checkAllUsed()
        channelGroups = builder.groups
        computeTerms = construction.terms
    }

    /// In the order of construction; names as diffusers gives them.
    public var parameters: [Parameter] {
        timeProjection.parameters + timeEmbedding.parameters + classEmbedding.parameters + convIn.parameters
            + downLevels.flatMap(\.parameters) + (middle?.parameters ?? []) + upLevels.flatMap(\.parameters)
            + normOut.parameters + convOut.parameters
    }

    public var normalizations: [any ChannelNormalization] {
        downLevels.flatMap(\.normalizations) + (middle?.normalizations ?? []) + upLevels.flatMap(\.normalizations)
            + [normOut]
    }

    var attentions: [SelfAttention] {
        downLevels.flatMap { $0.attentions.compactMap { $0 } } + [middle?.attention].compactMap { $0 }
            + upLevels.flatMap { $0.attentions.compactMap { $0 } }
    }

    /// ResNet blocks, each with the attention that follows it, in the order in which they run.
    public var featureBlocks: [FeatureBlock] {
        func block(_ resnet: ResnetBlock, _ attention: SelfAttention? = nil) -> FeatureBlock {
            FeatureBlock(attention?.name ?? resnet.name, axis: resnet.output, hasAttention: attention != nil)
        }
        func blocks(_ level: UNetLevel) -> [FeatureBlock] {
            zip(level.resnets, level.attentions).map { block($0, $1) }
                + [level.resampler?.resnet].compactMap { $0 }.map { block($0) }
        }
        return downLevels.flatMap(blocks) + (middle.map { [block($0.first, $0.attention), block($0.second)] } ?? [])
            + upLevels.flatMap(blocks)
    }

    /// The same architecture with the given channels left, weights unset.
    public func rebuilt(keeping kept: [String: [Int]]) throws -> UNet {
        try like(UNet(configuration, kept: kept, size: size))
    }

    /// `network` with what this one was told beside its configuration.
    func like(_ network: UNet) -> UNet {
        network.usesGradientCheckpointing = usesGradientCheckpointing
        network.timestepCount = timestepCount
        return network
    }

    /// What a call needs to fit the model: throws with what was got and expected.
    public func check(sampleShape: [Int], timesteps: [Float], classLabels: ClassLabels?) throws {
        try InputCheck(model: self).check(sampleShape: sampleShape, timesteps: timesteps, classLabels: classLabels)
    }

    /// Whether the model is defined at each of `timesteps`: a Fourier time embedding is above 0 only, a learned one at
    /// the rows of its table. Throws with what was got and expected.
    public func check(timesteps: [Int]) throws {
        try InputCheck(model: self).check(timesteps.map(Float.init))
    }

    /// The model's prediction (ε, x₀ or v as its scheduler says) for `sample` `[B, H, W, in_channels]` at one timestep
    /// an image: `[B, H, W, out_channels]`.
    ///
    /// The caller has validated the shapes with `check`.
    ///
    /// - Parameters:
    ///   - sample: noisy images, `[B, H, W, C]`.
    ///   - timesteps: one an image.
    ///   - classLabels: one an image, of a conditional model.
    ///   - dropout: nil in inference.
    ///   - outputs: where what `featureBlocks` put out is kept; nil for nowhere.
    public func callAsFunction(
        _ sample: Variable, timesteps: [Float], classLabels: ClassLabels? = nil, dropout: DropoutMask? = nil,
        keeping outputs: BlockOutputs? = nil
    ) -> Variable {
        let dropoutStream =
            configuration.dropout > 0
            ? dropout.map { DropoutStream(probability: configuration.dropout, seed: $0.seed, step: $0.step) } : nil
        var x = sample
        if configuration.centerInputSample {
            x = x.combined(2, plus: Variable(Tensor(ones: x.shape)), times: -1)
        }
        var embedding = timeEmbedding(timeProjection(timesteps))
        if let labels = classEmbedding(classLabels, timeProjection: timeProjection) { embedding = embedding + labels }
        // Every ResNet block reads the activated embedding: once is enough.
        let time = timeReaders.signal(
            LayerOperation.run("time_embedding.activation", .elementwise, of: [embedding]) {
                embedding.activated(configuration.activation)
            })

        let pass = BlockPass(
            time: time, dropout: dropoutStream, isCheckpointed: usesGradientCheckpointing, outputs: outputs)

        var image = x
        x = convIn(x)
        var skips = [x]
        for level in downLevels {
            for index in level.resnets.indices {
                x = level.layer(index, [x], pass)
                skips.append(x)
            }
            if let resampler = level.resampler {
                x = resampler(x, pass)
                if let pyramid = level.pyramid { x = pyramid.read(&image, into: x) }
                skips.append(x)
            }
        }
        if let middle { x = middle(x, pass) }
        var drawn: Variable?
        for level in upLevels {
            for index in level.resnets.indices {
                x = level.layer(index, [x, skips.removeLast()], pass)
            }
            if let pyramid = level.pyramid { drawn = pyramid.grown(drawn, from: x) }
            if let resampler = level.resampler { x = resampler(x, pass) }
        }
        let output = convOut(normOut(x, activation: .silu), residual: drawn)
        return configuration.timeEmbeddingType == .fourier ? dividedByTimesteps(output, timesteps) : output
    }

    /// Fourier models predict timestep × score.
    private func dividedByTimesteps(_ x: Variable, _ timesteps: [Float]) -> Variable {
        let factors = Tensor(uninitialized: x.shape)
        let imageSize = factors.count / timesteps.count
        for (image, timestep) in timesteps.enumerated() {
            (factors.pointer + image * imageSize).update(repeating: 1 / timestep, count: imageSize)
        }
        return x.multiplied(by: Variable(factors))
    }
}
