import Layers
import TensorCore

/// diffusers' `ResnetBlock2D`: norm → act → conv1 (+ time) → norm → act → dropout → conv2, added to the input or its
/// 1×1 shortcut, divided by `variant.outputScale`.
package struct ResnetBlock {
    let name: String
    package let norm1: GroupNorm, norm2: GroupNorm
    package let conv1: Conv2d, conv2: Conv2d
    package let timeProjection: Linear
    package let shortcut: Conv2d?
    let output: ChannelAxis
    package let settings: BlockSettings
    package let variant: ResnetVariant

    /// - Parameter width: output width before pruning. Where it equals the input's the block is an identity plus a
    ///   correction and its output lies on the input's axis; otherwise, or with `hasShortcut`, on one of its own.
    init(
        _ name: String, from input: ChannelAxis, width: Int, time: ChannelAxis, settings: BlockSettings,
        variant: ResnetVariant, builder: ChannelAxisBuilder
    ) throws {
        self.name = name
        self.settings = settings
        self.variant = variant
        let inner = try builder.axis(name + ".inner", width: width, isRemovable: true)
        let hasShortcut = variant.hasShortcut || input.originalWidth != width
        output = hasShortcut ? try builder.axis(name + ".out", width: width) : input
        norm1 = try GroupNorm(
            name + ".norm1", axis: input, groupCount: variant.inputGroups, epsilon: settings.epsilon, branch: inner)
        conv1 = Conv2d(name + ".conv1", from: input, to: inner)
        timeProjection = Linear(
            name + ".time_emb_proj", from: time, to: settings.scaleShift ? inner + inner : inner)
        norm2 = try GroupNorm(
            name + ".norm2", axis: inner, groupCount: variant.innerGroups, epsilon: settings.epsilon)
        conv2 = Conv2d(name + ".conv2", from: inner, to: output)
        shortcut =
            hasShortcut
            ? Conv2d(name + ".conv_shortcut", from: input, to: output, kernel: 1, padding: .none) : nil
    }

    /// Whether every channel of the inner axis has left: the block is then its shortcut plus biases.
    package var isRemoved: Bool { conv1.to.width == 0 }

    var parameters: [Parameter] {
        let own =
            isRemoved
            ? [conv2.bias]
            : norm1.parameters + conv1.parameters + timeProjection.parameters + norm2.parameters + conv2.parameters
        return own + (shortcut?.parameters ?? [])
    }

    var normalizations: [GroupNorm] { isRemoved ? [] : [norm1, norm2] }

    /// - Parameter parts: the input, or what it is the concatenation of.
    func callAsFunction(_ parts: [Variable], time: TimeSignal, dropout: DropoutStream?) -> Variable {
        guard !isRemoved else { return shortcutAlone(parts) }
        var input = parts
        var hidden = norm1(parts, activation: settings.activation)
        if variant.resampling != .none { (input, hidden) = (input.map(resampled), resampled(hidden)) }
        let projected = time.projected(by: timeProjection)
        if settings.scaleShift {
            hidden = norm2(conv1(hidden), activation: settings.activation, modulation: projected)
        } else {
            hidden = norm2(conv1(hidden, imageBias: projected), activation: settings.activation)
        }
        if let dropout { hidden = dropout.drop(hidden) }
        // A concatenation is wider than the output, so there is a shortcut where it has parts.
        return scaled(conv2(hidden, residual: shortcut.map { $0(input) } ?? input[0]))
    }

    /// What a block without inner channels computes.
    private func shortcutAlone(_ parts: [Variable]) -> Variable {
        let input = variant.resampling == .none ? parts : parts.map(resampled)
        return scaled(conv2.biasAlone(onto: shortcut.map { $0(input) } ?? input[0]))
    }

    private func scaled(_ sum: Variable) -> Variable {
        guard variant.outputScale != 1 else { return sum }
        return LayerOperation.run(name + ".scaling", .elementwise, of: [sum]) {
            sum.scaled(by: 1 / variant.outputScale)
        }
    }

    private func resampled(_ x: Variable) -> Variable {
        LayerOperation.run(name + ".resampling", .resample, of: [x]) {
            switch variant.resampling {
            case .none: x
            case .averagedDown: x.averagePooled()
            case .nearestUp: x.upsampled()
            case .filteredDown: x.filteredDown()
            case .filteredUp: x.filteredUp()
            }
        }
    }

    /// - Parameter pixels: of the output.
    func computeTerms(pixels: Int) -> [ComputeTerm] {
        [
            conv1.computeTerm(outputPixels: pixels), timeProjection.computeTerm(rows: 1),
            conv2.computeTerm(outputPixels: pixels),
        ]
            + (shortcut.map { [$0.computeTerm(outputPixels: pixels)] } ?? [])
    }
}

/// What the ResNet blocks of one U-Net differ in.
package struct ResnetVariant {
    /// How both branches are resampled after the first normalisation.
    package enum Resampling { case none, averagedDown, nearestUp, filteredDown, filteredUp }

    /// Groups of `norm1` and `norm2`.
    let inputGroups: Int, innerGroups: Int
    package var outputScale: Float = 1
    package var resampling = Resampling.none
    /// Whether there is a 1×1 shortcut even between equal widths.
    var hasShortcut = false
}

/// What the blocks of one U-Net have in common.
package struct BlockSettings {
    let epsilon: Float
    package let activation: Activation
    package let scaleShift: Bool
}

/// Dropout masks for one training step, one after the other from a stream of their own.
final class DropoutStream {
    private var stream: RandomStream
    private let probability: Double

    init(probability: Double, seed: UInt64, step: UInt64) {
        self.probability = probability
        stream = RandomStream(seed: seed, purpose: .dropout, index: step)
    }

    private init(_ stream: RandomStream, probability: Double) {
        self.stream = stream
        self.probability = probability
    }

    /// One that will draw what this one will.
    func copy() -> DropoutStream { DropoutStream(stream, probability: probability) }

    func drop(_ x: Variable) -> Variable {
        let keep = Float(1 / (1 - probability))
        let mask = Tensor(uninitialized: x.shape)
        for i in 0..<mask.count { mask.pointer[i] = Double(stream.uniform()) < probability ? 0 : keep }
        return x.multiplied(by: Variable(mask))
    }
}
