import Foundation
import TensorCore

/// The configuration of a diffusers `UNet2DModel`, key for key, with its defaults (diffusers 0.42).
public struct UNetConfiguration: Sendable, Equatable {
    public enum TimeEmbedding: String, Codable, Sendable, CaseIterable { case positional, fourier, learned }
    public enum TimeScaleShift: String, Codable, Sendable, CaseIterable {
        case `default`
        case scaleShift = "scale_shift"
    }
    public enum Resampling: String, Codable, Sendable, CaseIterable { case conv, resnet }
    public enum ClassEmbedding: String, Codable, Sendable, CaseIterable { case timestep, identity }

    /// Height and width of the images; nil where the file leaves it open.
    public var sampleSize: [Int]? = nil
    public var inChannels = 3
    public var outChannels = 3
    public var centerInputSample = false
    public var timeEmbeddingType = TimeEmbedding.positional
    public var timeEmbeddingDim: Int? = nil
    public var freqShift = 0.0
    public var flipSinToCos = true
    public var downBlockTypes = ["DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"]
    public var midBlockType: String? = "UNetMidBlock2D"
    public var upBlockTypes = ["AttnUpBlock2D", "AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"]
    public var blockOutChannels = [224, 448, 672, 896]
    public var layersPerBlock = 2
    public var midBlockScaleFactor = 1.0
    public var downsamplePadding = 1
    public var downsampleType = Resampling.conv
    public var upsampleType = Resampling.conv
    public var dropout = 0.0
    public var activation = Activation.silu
    public var attentionHeadDim: Int? = 8
    public var normNumGroups: Int? = 32
    public var attnNormNumGroups: Int? = nil
    public var normEps = 1e-5
    public var resnetTimeScaleShift = TimeScaleShift.default
    public var addAttention = true
    public var classEmbedType: ClassEmbedding? = nil
    public var numClassEmbeds: Int? = nil
    public var numTrainTimesteps: Int? = nil

    public init() {}

    /// Width of the time embedding.
    public var timeWidth: Int {
        guard let width = timeEmbeddingDim, width != 0 else { return blockOutChannels[0] * 4 }
        return width
    }

    /// Images' height and width must be multiples of this.
    public var sizeDivisor: Int { 1 << (blockOutChannels.count - 1) }
}

extension UNetConfiguration {
    /// Whether predictions need class labels.
    public var isClassConditional: Bool { classEmbedType != nil || numClassEmbeds != nil }
}
