import Layers
import TensorCore

/// A small convolutional classifier whose pooled features make a space to measure Fréchet distances in.
///
///     conv 3×3, SiLU → per halving: conv 3×3 of stride 2, GroupNorm, SiLU → conv 3×3, GroupNorm, SiLU
///                    → mean over the pixels = features → linear = logits
///
/// The first layer is not normalised, so that brightness and contrast leave a trace in the features. Activations are
/// NHWC, B images of height H = width = `configuration.inputSize`.
public final class FeatureClassifier: ChannelNetwork {
    public private(set) var configuration: FeatureClassifierConfiguration
    /// The stem's, one a halving, and the features.
    public let channelGroups: [ChannelGroup]
    /// Multiply–accumulates by layer, for images of the configuration's size.
    public let computeTerms: [ComputeTerm]
    private let stem: Conv2d
    private let stages: [Stage]
    private let head: Linear

    /// A net of this architecture with all weights zero: they are to be initialised or loaded.
    ///
    /// - Parameters:
    ///   - configuration: the architecture.
    ///   - kept: for a pruned net, the channels left of each axis that lost some: `level.0`, …, `features`.
    /// - Throws: `SettingError`, `ChannelAxisError`.
    public init(_ configuration: FeatureClassifierConfiguration, kept: [String: [Int]] = [:]) throws {
        try configuration.validate()
        self.configuration = configuration
        let widths = configuration.widths
        let builder = ChannelAxisBuilder(kept: kept)
        let axes =
            try widths.enumerated().map { try builder.axis("level.\($0.offset)", width: $0.element) }
            + [builder.axis("features", width: widths[widths.count - 1])]
        stem = Conv2d("stem", from: .fixed("pixels", width: configuration.channels), to: axes[0])
        stages = try (1..<axes.count).map { index in
            try Stage(
                "stages.\(index - 1)", from: axes[index - 1], to: axes[index], stride: index < widths.count ? 2 : 1,
                groupCount: configuration.normalizationGroups)
        }
        head = Linear(
            "head", from: axes[axes.count - 1], to: .fixed("classes", width: configuration.classNames.count))
        try builder.checkAllUsed()
        channelGroups = builder.groups
        var terms = [stem.computeTerm(outputPixels: configuration.inputSize * configuration.inputSize)]
        for (index, stage) in stages.enumerated() {
            let side = configuration.inputSize >> min(index + 1, widths.count - 1)
            terms.append(stage.convolution.computeTerm(outputPixels: side * side))
        }
        computeTerms = terms + [head.computeTerm(rows: 1)]
    }

    public var normalizations: [any ChannelNormalization] { stages.map(\.norm) }

    public func rebuilt(keeping kept: [String: [Int]]) throws -> FeatureClassifier {
        try FeatureClassifier(configuration, kept: kept)
    }

    /// Channels of the pooled features.
    public var dimension: Int { head.from.width }

    /// Notes what fraction of the test split is classified correctly, to be saved with the net.
    /// - Precondition: in [0, 1].
    public func record(testAccuracy: Double) {
        precondition((0...1).contains(testAccuracy), "an accuracy of \(testAccuracy)")
        configuration.testAccuracy = testAccuracy
    }

    /// In the order of construction.
    public var parameters: [Parameter] { stem.parameters + stages.flatMap(\.parameters) + head.parameters }

    /// Images `[B, H, W, channels]` in [−1, 1] → `[B, dimension]`.
    public func pooledFeatures(of images: Variable) -> Variable {
        stages.reduce(stem(images).activated(.silu)) { $1($0) }.meanOverPixels()
    }

    /// Images `[B, H, W, channels]` in [−1, 1] → `[B, classes]`.
    public func logits(of images: Variable) -> Variable { head(pooledFeatures(of: images)) }
}

extension FeatureClassifier: OnesResponding {
    public func responseToOnes() -> Variable {
        let side = configuration.inputSize
        return logits(of: Variable(Tensor(ones: [1, side, side, configuration.channels])))
    }
}

/// A 3×3 convolution, group normalisation and SiLU.
private struct Stage: Layer {
    let convolution: Conv2d
    let norm: GroupNorm

    init(_ name: String, from: ChannelAxis, to: ChannelAxis, stride: Int, groupCount: Int) throws {
        convolution = Conv2d(name + ".conv", from: from, to: to, stride: stride)
        norm = try GroupNorm(name + ".norm", axis: to, groupCount: groupCount, epsilon: 1e-5)
    }

    var parameters: [Parameter] { convolution.parameters + norm.parameters }

    func callAsFunction(_ x: Variable) -> Variable { norm(convolution(x), activation: .silu) }
}
