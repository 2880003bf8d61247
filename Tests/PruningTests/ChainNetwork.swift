import Layers
import TensorCore

/// Three linear layers over named axes, on vectors: a network that has nothing to do with images.
///
///     input → hidden.0 → hidden.1 → output        SiLU between
final class ChainNetwork: ChannelNetwork {
    let layers: [Linear]
    let channelGroups: [ChannelGroup]
    private let shape: Shape

    /// Widths before any pruning.
    struct Shape: Sendable {
        var inputs = 6, outputs = 4
        var hidden = [8, 12]

        init() {}
    }

    init(_ shape: Shape = Shape(), keeping kept: [String: [Int]] = [:]) throws {
        self.shape = shape
        let builder = ChannelAxisBuilder(kept: kept)
        var axes = [ChannelAxis.fixed("input", width: shape.inputs)]
        for (index, width) in shape.hidden.enumerated() {
            axes.append(try builder.axis("hidden.\(index)", width: width))
        }
        axes.append(.fixed("output", width: shape.outputs))
        try builder.checkAllUsed()
        channelGroups = builder.groups
        layers = zip(axes, axes.dropFirst()).enumerated().map { Linear("layers.\($0)", from: $1.0, to: $1.1) }
    }

    var parameters: [Parameter] { layers.flatMap(\.parameters) }
    var normalizations: [any ChannelNormalization] { [] }
    var computeTerms: [ComputeTerm] { layers.map { $0.computeTerm(rows: 1) } }

    func rebuilt(keeping kept: [String: [Int]]) throws -> ChainNetwork { try ChainNetwork(shape, keeping: kept) }

    /// `[B, inputs]` → `[B, outputs]`.
    func callAsFunction(_ x: Variable) -> Variable {
        layers.indices.reduce(x) { x, index in
            let y = layers[index](x)
            return index == layers.count - 1 ? y : y.activated(.silu)
        }
    }
}
