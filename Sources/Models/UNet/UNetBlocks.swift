import Layers
import TensorCore

/// What follows the ResNet blocks of a level: a convolution, or a ResNet block that resamples on the way.
package enum Resampler {
    case downConvolution(Conv2d)
    case upConvolution(Conv2d)
    case resnet(ResnetBlock)

    var parameters: [Parameter] {
        switch self {
        case .downConvolution(let conv), .upConvolution(let conv): conv.parameters
        case .resnet(let block): block.parameters
        }
    }

    /// The ResNet block, where it is one.
    var resnet: ResnetBlock? {
        if case .resnet(let block) = self { block } else { nil }
    }

    var normalizations: [GroupNorm] {
        resnet?.normalizations ?? []
    }

    func callAsFunction(_ x: Variable, _ pass: BlockPass) -> Variable {
        switch self {
        case .downConvolution(let conv): conv(x)
        case .upConvolution(let conv):
            conv(LayerOperation.run(conv.name + ".upsampling", .resample, of: [x]) { x.upsampled() })
        case .resnet(let block): pass.run([x]) { block([x], time: pass.time, dropout: $0) }
        }
    }
}

/// One level of the encoder or decoder.
package struct UNetLevel {
    package var resnets: [ResnetBlock] = []
    /// What follows each ResNet block, if anything does.
    package var attentions: [SelfAttention?] = []
    package var resampler: Resampler?
    /// How a level of a score-based U-Net meets the images beside it.
    package var pyramid: ImagePyramid?

    var parameters: [Parameter] {
        resnets.flatMap(\.parameters) + attentions.flatMap { $0?.parameters ?? [] } + (resampler?.parameters ?? [])
            + (pyramid?.parameters ?? [])
    }

    var normalizations: [GroupNorm] {
        resnets.flatMap(\.normalizations) + attentions.compactMap { $0?.normalization }
            + (resampler?.normalizations ?? [])
            + (pyramid?.normalizations ?? [])
    }

    /// ResNet block `index` with its attention, of the concatenation of `parts`.
    func layer(_ index: Int, _ parts: [Variable], _ pass: BlockPass) -> Variable {
        pass.run(parts) { dropout in
            let y = resnets[index](parts, time: pass.time, dropout: dropout)
            return attentions[index].map { $0(y) } ?? y
        }
    }
}

/// ResNet, attention (optional), ResNet.
package struct UNetMiddle {
    package let first: ResnetBlock
    package let attention: SelfAttention?
    package let second: ResnetBlock

    var parameters: [Parameter] { first.parameters + (attention?.parameters ?? []) + second.parameters }

    var normalizations: [GroupNorm] {
        first.normalizations + [attention?.normalization].compactMap { $0 } + second.normalizations
    }

    func callAsFunction(_ x: Variable, _ pass: BlockPass) -> Variable {
        let y = pass.run([x]) { dropout in
            let y = first([x], time: pass.time, dropout: dropout)
            return attention.map { $0(y) } ?? y
        }
        return pass.run([y]) { second([y], time: pass.time, dropout: $0) }
    }
}
