import Imagery
import Layers
import TensorCore

/// A small convolutional classifier whose pooled features make a space to measure Fréchet distances in.
///
///     conv 3×3, SiLU → per halving: conv 3×3 of stride 2, GroupNorm, SiLU → conv 3×3, GroupNorm, SiLU
///                    → mean over the pixels = features → linear = logits
///
/// The first layer is not normalised, so that brightness and contrast leave a trace in the features. Activations are
/// NHWC, B images of height H = width = `configuration.inputSize`.
public final class FeatureClassifier: ChannelNetwork, FeatureExtractor {
    public private(set) var configuration: FeatureClassifierConfiguration
    /// The stem's, one a halving, and the features.
    public let channelGroups: [ChannelGroup]
    /// Multiply–accumulates by layer, for images of the configuration's size.
    public let computeTerms: [ComputeTerm]
    private let stem: Conv2d
    private let stages: [Stage]
    private let head: Linear

    /// Images that go through the net at once, which bounds memory.
    private static let batchSize = 64

    /// A net of this architecture with all weights zero: they are to be initialised or loaded.
    ///
    /// - Parameter kept: for a pruned net, the channels left of each axis that lost some: `level.0`, …, `features`.
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

    public var normalizations: [GroupNorm] { stages.map(\.norm) }

    public func rebuilt(keeping kept: [String: [Int]]) throws -> FeatureClassifier {
        try FeatureClassifier(configuration, kept: kept)
    }

    public var name: String { configuration.name }
    public var dimension: Int { head.from.width }

    /// Notes what fraction of the test split is told right, to be saved with the net.
    /// - Precondition: in [0, 1].
    public func record(testAccuracy: Double) {
        precondition((0...1).contains(testAccuracy), "an accuracy of \(testAccuracy)")
        configuration.testAccuracy = testAccuracy
    }

    /// In the order of construction.
    public var parameters: [Parameter] { stem.parameters + stages.flatMap(\.parameters) + head.parameters }

    public func accepts(height: Int, width: Int, channels: Int) -> Bool {
        height == configuration.inputSize && width == configuration.inputSize && channels == configuration.channels
    }

    /// Images `[B, H, W, channels]` in [−1, 1] → `[B, dimension]`.
    public func pooledFeatures(of images: Variable) -> Variable {
        stages.reduce(stem(images).activated(.silu)) { $1($0) }.meanOverPixels()
    }

    /// Images `[B, H, W, channels]` in [−1, 1] → `[B, classes]`.
    public func logits(of images: Variable) -> Variable { head(pooledFeatures(of: images)) }

    public func features(of images: [Image]) throws -> [[Float]] {
        let rows = try outputs(for: images, pooledFeatures)
        for (index, row) in rows.enumerated() where !row.allSatisfy(\.isFinite) {
            throw FeatureError.notFinite(index: index, extractor: name)
        }
        return rows
    }

    /// The likeliest class of each image.
    /// - Throws: as `features(of:)`.
    public func classes(of images: [Image]) throws -> [Int] {
        try outputs(for: images, logits).enumerated().map { index, row in
            guard row.allSatisfy(\.isFinite) else { throw FeatureError.notFinite(index: index, extractor: name) }
            return row.indices.reduce(0) { row[$1] > row[$0] ? $1 : $0 }
        }
    }

    private func outputs(for images: [Image], _ net: (Variable) -> Variable) throws -> [[Float]] {
        let size = configuration.inputSize
        for (index, image) in images.enumerated()
        where !accepts(height: image.height, width: image.width, channels: image.channels) {
            throw FeatureError.unacceptableImage(
                index: index, got: "\(image.height)×\(image.width)×\(image.channels)",
                expected: "\(size)×\(size)×\(configuration.channels)", extractor: name)
        }
        return stride(from: 0, to: images.count, by: Self.batchSize).flatMap { start -> [[Float]] in
            let part = images[start..<min(start + Self.batchSize, images.count)]
            let input = Tensor(part.flatMap(\.signedUnit), shape: [part.count, size, size, configuration.channels])
            let output = Autograd.withoutRecording { net(Variable(input)).value }
            return (0..<part.count).map { output.rows($0..<($0 + 1)).array }
        }
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
