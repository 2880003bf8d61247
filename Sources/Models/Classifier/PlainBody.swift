import Layers
import TensorCore

/// The convolutions of a VGG with batch normalisation by torchvision's names: `features.N`, N counting convolutions,
/// normalisations, activations and pools one after the other.
struct PlainBody: ClassifierBody {
    private enum Step {
        case layer(NormalizedConvolution)
        case pool(String)
    }
    private let steps: [Step]
    let output: ChannelAxis
    let computeTerms: [ComputeTerm]

    init(_ configuration: ImageClassifierConfiguration, builder: ChannelAxisBuilder) throws {
        let (_, depths, widths) = configuration.resolved
        var axis = ChannelAxis.fixed("pixels", width: configuration.inChannels)
        var (side, number) = (configuration.inputSize, 0)
        var steps: [Step] = []
        var terms: [ComputeTerm] = []
        for (depth, width) in zip(depths, widths) {
            for _ in 0..<depth {
                let name = "features.\(number)"
                let next = try builder.axis(name + ".out", width: width)
                let layer = NormalizedConvolution(
                    name, "features.\(number + 1)", from: axis, to: next, hasBias: true)
                terms.append(layer.convolution.computeTerm(outputPixels: side * side))
                steps.append(.layer(layer))
                axis = next
                number += 3
            }
            steps.append(.pool("features.\(number)"))
            number += 1
            side /= 2
        }
        (self.steps, output, computeTerms) = (steps, axis, terms)
    }

    private var layers: [NormalizedConvolution] {
        steps.compactMap { if case .layer(let layer) = $0 { layer } else { nil } }
    }

    var parameters: [Parameter] { layers.flatMap(\.parameters) }
    var normalizations: [any ChannelNormalization] { layers.map(\.norm) }

    func callAsFunction(_ x: Variable) -> Variable {
        steps.reduce(x) { x, step in
            switch step {
            case .layer(let layer): layer(x)
            case .pool(let name): LayerOperation.run(name, .resample, of: [x]) { x.maximumPooled() }
            }
        }
    }
}
