import Layers
import Models
import TensorCore

/// A network that predicts what is noise in an image (ε, x₀ or v, as its scheduler says).
public protocol Denoiser: ChannelNetwork {
    /// Height, width and channels of the images that it is made for.
    var imageShape: [Int] { get }
    /// Channels of its output: an image's, or twice as many where variances are predicted beside.
    var outputChannels: Int { get }
    var classConditioning: ClassConditioning { get }

    /// What a call needs to fit the network: throws with what was got and expected.
    func check(sampleShape: [Int], timesteps: [Float], classLabels: ClassLabels?) throws
    /// Whether the network is defined at each of `timesteps`; throws with what was got and expected.
    func check(timesteps: [Int]) throws

    /// The prediction for `sample` `[B, H, W, C]` at one timestep an image: `[B, H, W, outputChannels]`.
    ///
    /// The caller has validated the shapes with `check`.
    ///
    /// - Parameters:
    ///   - sample: noisy images.
    ///   - timesteps: one an image.
    ///   - classLabels: one an image, of a conditional model.
    ///   - dropout: nil in inference.
    ///   - outputs: where what `featureBlocks` put out is kept; nil for nowhere.
    func callAsFunction(
        _ sample: Variable, timesteps: [Float], classLabels: ClassLabels?, dropout: DropoutMask?,
        keeping outputs: BlockOutputs?
    ) -> Variable

    /// The blocks whose outputs can be imitated, in the order in which they run; none where there are none.
    var featureBlocks: [FeatureBlock] { get }
}

extension Denoiser {
    /// The prediction alone.
    public func callAsFunction(
        _ sample: Variable, timesteps: [Float], classLabels: ClassLabels?, dropout: DropoutMask?
    ) -> Variable {
        self(sample, timesteps: timesteps, classLabels: classLabels, dropout: dropout, keeping: nil)
    }
}

/// What a denoiser is told of an image's class.
public enum ClassConditioning: Equatable, Sendable {
    case none
    /// A class number; whole and below `below` where that is not nil, else any number.
    case numbers(below: Int?)
    /// A vector of this width.
    case vectors(width: Int)
}

extension UNet: Denoiser {
    public var imageShape: [Int] { size + [configuration.inChannels] }
    public var outputChannels: Int { configuration.outChannels }

    public var classConditioning: ClassConditioning {
        guard configuration.isClassConditional else { return .none }
        return switch configuration.classEmbedType {
        case .identity: .vectors(width: configuration.timeWidth)
        case .timestep: .numbers(below: nil)
        case nil: .numbers(below: configuration.numClassEmbeds)
        }
    }
}
