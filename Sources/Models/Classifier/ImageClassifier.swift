import Layers
import TensorCore

/// A classifier of images: a ResNet or a VGG in the form that papers train on CIFAR, by torchvision's names.
///
///     convolutions with batch normalisation → mean over the pixels = features → linear = logits
///
/// The free axes are the stem (with the first stage where that adds to it), the residual stream of each stage that has
/// a stream of its own, and what lies inside blocks; of a VGG each convolution's outputs.
///
/// Based on: He et al., "Deep Residual Learning for Image Recognition", 2015, arXiv 1512.03385; Simonyan & Zisserman,
/// "Very Deep Convolutional Networks for Large-Scale Image Recognition", 2014, arXiv 1409.1556.
///
/// Differs from the papers: shortcuts between unequal widths are 1×1 convolutions everywhere (theirs are padded with
/// zeros on CIFAR), as in torchvision; VGGs have batch normalisation and one linear layer in place of three.
public final class ImageClassifier: ChannelNetwork {
    public let configuration: ImageClassifierConfiguration
    public let channelGroups: [ChannelGroup]
    private let body: any ClassifierBody
    private let head: Linear
    /// What images in [−1, 1] are multiplied by and moved by, a channel each; nil where that changes nothing.
    private let standardization: (factor: Variable, offset: Variable)?

    /// A net of this architecture with all weights zero: they are to be initialised or loaded.
    ///
    /// - Parameters:
    ///   - configuration: the architecture.
    ///   - kept: for a pruned net, the channels left of each axis that lost some.
    /// - Throws: `SettingError`, `ChannelAxisError`.
    public init(_ configuration: ImageClassifierConfiguration, kept: [String: [Int]] = [:]) throws {
        try configuration.validate()
        self.configuration = configuration
        let builder = ChannelAxisBuilder(kept: kept)
        let isPlain = configuration.resolved.block == .plain
        body =
            try isPlain
            ? PlainBody(configuration, builder: builder) : ResidualBody(configuration, builder: builder)
        head = Linear(
            isPlain ? "classifier" : "fc", from: body.output, to: .fixed("classes", width: configuration.numClasses))
        try builder.checkAllUsed()
        channelGroups = builder.groups
        standardization = Self.standardization(configuration)
    }

    private static func standardization(
        _ configuration: ImageClassifierConfiguration
    ) -> (factor: Variable, offset: Variable)? {
        func channel(_ list: [Double], _ index: Int) -> Double { list.count == 1 ? list[0] : list[index] }
        // ((x + 1)/2 − mean)/std
        let maps = (0..<configuration.inChannels).map { index in
            let (mean, std) = (channel(configuration.imageMean, index), channel(configuration.imageStd, index))
            return (factor: Float(0.5 / std), offset: Float((0.5 - mean) / std))
        }
        guard maps.contains(where: { $0.factor != 1 || $0.offset != 0 }) else { return nil }
        func vector(_ values: [Float]) -> Variable { Variable(Tensor(values, shape: [values.count])) }
        return (vector(maps.map(\.factor)), vector(maps.map(\.offset)))
    }

    /// In the order of construction.
    public var parameters: [Parameter] { body.parameters + head.parameters }
    public var normalizations: [any ChannelNormalization] { body.normalizations }
    /// Of images of the configuration's size.
    public var computeTerms: [ComputeTerm] { body.computeTerms + [head.computeTerm(rows: 1)] }

    public func rebuilt(keeping kept: [String: [Int]]) throws -> ImageClassifier {
        try ImageClassifier(configuration, kept: kept)
    }

    /// Height, width and channels of the images.
    public var imageShape: [Int] { [configuration.inputSize, configuration.inputSize, configuration.inChannels] }
    public var classCount: Int { configuration.numClasses }

    /// Images `[B, H, W, in_channels]` in [−1, 1] → logits `[B, num_classes]`.
    ///
    /// Batch normalisations use their running moments, or within `BatchStatistics.taken` those of the batch.
    public func logits(of images: Variable) -> Variable {
        guard let (factor, offset) = standardization else { return logits(ofStandardized: images) }
        return logits(ofStandardized: images.gated(by: factor) + offset.broadcast(to: images.shape))
    }

    /// The same of images that the mean was taken from already and that were divided by the standard deviation.
    public func logits(ofStandardized x: Variable) -> Variable { head(body(x).meanOverPixels()) }
}

extension ImageClassifier: OnesResponding {
    public func responseToOnes() -> Variable {
        logits(ofStandardized: Variable(Tensor(ones: [1] + imageShape)))
    }
}
