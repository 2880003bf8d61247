import Layers
import TensorCore

/// The convolutions of a ResNet by torchvision's names: a 3×3 stem, then stages of residual blocks, each after the
/// first halving the image.
struct ResidualBody: ClassifierBody {
    private let stem: NormalizedConvolution
    private let units: [ResidualUnit]
    let computeTerms: [ComputeTerm]

    init(_ configuration: ImageClassifierConfiguration, builder: ChannelAxisBuilder) throws {
        let (block, depths, widths) = configuration.resolved
        stem = NormalizedConvolution(
            "conv1", "bn1", from: .fixed("pixels", width: configuration.inChannels),
            to: try builder.axis("conv1.out", width: widths[0]))
        var side = configuration.inputSize
        var terms = [stem.convolution.computeTerm(outputPixels: side * side)]
        var units: [ResidualUnit] = []
        for (stage, depth) in depths.enumerated() {
            for index in 0..<depth {
                let stride = stage > 0 && index == 0 ? 2 : 1
                let unit = try ResidualUnit(
                    "layer\(stage + 1).\(index)", block, from: units.last?.output ?? stem.convolution.to,
                    width: widths[stage], stride: stride, builder: builder)
                let smaller = (side + stride - 1) / stride
                terms += unit.computeTerms(pixels: side * side, outputPixels: smaller * smaller)
                side = smaller
                units.append(unit)
            }
        }
        self.units = units
        computeTerms = terms
    }

    var output: ChannelAxis { units.last?.output ?? stem.convolution.to }
    var parameters: [Parameter] { stem.parameters + units.flatMap(\.parameters) }
    var normalizations: [any ChannelNormalization] { [stem.norm] + units.flatMap(\.normalizations) }

    func callAsFunction(_ x: Variable) -> Variable { units.reduce(stem(x)) { $1($0) } }
}
