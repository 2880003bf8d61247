import Layers
import TensorCore

/// Three linear layers over named axes, on vectors: a network that has nothing to do with images.
///
///     input → hidden.0 → hidden.1 → output        SiLU between
package final class ToyNetwork: ChannelNetwork {
    package let layers: [Linear]
    package let channelGroups: [ChannelGroup]
    private let shape: Shape

    /// Widths before any pruning.
    package struct Shape: Sendable {
        package var inputs = 6, outputs = 4
        package var hidden = [8, 12]

        package init() {}
    }

    package init(_ shape: Shape = Shape(), keeping kept: [String: [Int]] = [:]) throws {
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

    package var parameters: [Parameter] { layers.flatMap(\.parameters) }
    package var normalizations: [GroupNorm] { [] }
    package var computeTerms: [ComputeTerm] { layers.map { $0.computeTerm(rows: 1) } }

    package func rebuilt(keeping kept: [String: [Int]]) throws -> ToyNetwork { try ToyNetwork(shape, keeping: kept) }

    /// `[B, inputs]` → `[B, outputs]`.
    package func callAsFunction(_ x: Variable) -> Variable {
        layers.indices.reduce(x) { x, index in
            let y = layers[index](x)
            return index == layers.count - 1 ? y : y.activated(.silu)
        }
    }
}
