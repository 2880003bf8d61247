import Layers
import TensorCore

/// A residual block of a ResNet: `relu(branch(x) + shortcut(x))`, the branch being two 3×3 convolutions (basic), or
/// 1×1, 3×3 and 1×1 ones (bottleneck), each with its batch normalisation. A shortcut is the input, or where the block
/// changes its shape a 1×1 convolution of it.
///
/// Its output lies on the input's axis where the shortcut is the input, otherwise on one of its own.
struct ResidualUnit {
    private let name: String
    private let layers: [NormalizedConvolution]
    private let shortcut: NormalizedConvolution?
    let output: ChannelAxis

    /// Output channels of a bottleneck for each of its 3×3 convolution.
    static let expansion = 4

    /// - Parameters:
    ///   - name: of the block, in files.
    ///   - block: basic or bottleneck.
    ///   - input: what is read.
    ///   - width: of the 3×3 convolutions before any pruning.
    ///   - stride: 1 or 2.
    ///   - builder: makes the block's own axes.
    init(
        _ name: String, _ block: ClassifierArchitecture.Block, from input: ChannelAxis, width: Int, stride: Int,
        builder: ChannelAxisBuilder
    ) throws {
        self.name = name
        let isBasic = block == .basic
        let outputWidth = isBasic ? width : width * Self.expansion
        let inner =
            try isBasic
            ? [builder.axis(name + ".inner", width: width, isRemovable: true)]
            : (1...2).map { try builder.axis("\(name).conv\($0).out", width: width) }
        let changesShape = stride != 1 || input.originalWidth != outputWidth
        output = changesShape ? try builder.axis(name + ".out", width: outputWidth) : input
        let axes = [input] + inner + [output]
        layers = (1..<axes.count).map { number in
            // Of a bottleneck the 3×3 convolution takes the stride, as in torchvision.
            NormalizedConvolution(
                "\(name).conv\(number)", "\(name).bn\(number)", from: axes[number - 1], to: axes[number],
                kernel: isBasic || number == 2 ? 3 : 1, stride: number == (isBasic ? 1 : 2) ? stride : 1)
        }
        shortcut =
            changesShape
            ? NormalizedConvolution(
                name + ".downsample.0", name + ".downsample.1", from: input, to: output, kernel: 1, stride: stride)
            : nil
    }

    /// Whether every channel inside has left: the branch is then what its last normalisation makes of zeros.
    private var isRemoved: Bool { layers[layers.count - 1].convolution.from.width == 0 }

    var parameters: [Parameter] {
        (isRemoved ? layers[layers.count - 1].norm.parameters : layers.flatMap(\.parameters))
            + (shortcut?.parameters ?? [])
    }

    var normalizations: [any ChannelNormalization] {
        (isRemoved ? [layers[layers.count - 1].norm] : layers.map(\.norm)) + (shortcut.map { [$0.norm] } ?? [])
    }

    func callAsFunction(_ x: Variable) -> Variable {
        let identity = shortcut.map { $0(x, activation: .identity) } ?? x
        let last = layers[layers.count - 1]
        guard !isRemoved else {
            return activated(last.norm.ofZeros(onto: identity))
        }
        let hidden = last(layers.dropLast().reduce(x) { $1($0) }, activation: .identity)
        return LayerOperation.run(name + ".residual", .elementwise, of: [hidden, identity], inputShape: hidden.shape) {
            (hidden + identity).activated(.relu)
        }
    }

    private func activated(_ sum: Variable) -> Variable {
        LayerOperation.run(name + ".relu", .elementwise, of: [sum]) { sum.activated(.relu) }
    }

    /// - Parameters:
    ///   - pixels: of the input.
    ///   - outputPixels: of the output.
    func computeTerms(pixels: Int, outputPixels: Int) -> [ComputeTerm] {
        let strided = layers.firstIndex { $0.convolution.stride > 1 } ?? 0
        return layers.enumerated().map { number, layer in
            layer.convolution.computeTerm(outputPixels: number < strided ? pixels : outputPixels)
        } + (shortcut.map { [$0.convolution.computeTerm(outputPixels: outputPixels)] } ?? [])
    }
}
