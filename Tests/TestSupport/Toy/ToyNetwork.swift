import Layers
import TensorCore

/// A small network on vectors: linear layers over named axes, two blocks that correct a residual stream.
///
///     s₀ = in(x),   s = s + out(silu(in(s))) for each block,   y = out(silu(s))
package final class ToyNetwork: BlockCheckpointing {
    package static let inputs = 6
    package static let outputs = 3

    package let channelGroups: [ChannelGroup]
    package let input: Linear
    package let blocks: [(first: Linear, second: Linear)]
    package let output: Linear
    package var usesGradientCheckpointing = false

    /// - Parameter kept: the channels left of each axis that lost some: `stream`, `blocks.0.inner`, `blocks.1.inner`.
    package init(kept: [String: [Int]] = [:]) throws {
        let builder = ChannelAxisBuilder(kept: kept)
        let stream = try builder.axis("stream", width: 12)
        input = Linear("input", from: .fixed("features", width: Self.inputs), to: stream)
        blocks = try (0..<2).map { number in
            let inner = try builder.axis("blocks.\(number).inner", width: 16)
            return (
                Linear("blocks.\(number).first", from: stream, to: inner),
                Linear("blocks.\(number).second", from: inner, to: stream)
            )
        }
        output = Linear("output", from: stream, to: .fixed("values", width: Self.outputs))
        try builder.checkAllUsed()
        channelGroups = builder.groups
    }

    package var layers: [Linear] { [input] + blocks.flatMap { [$0.first, $0.second] } + [output] }
    package var parameters: [Parameter] { layers.flatMap(\.parameters) }
    package var normalizations: [any ChannelNormalization] { [] }
    package var computeTerms: [ComputeTerm] { layers.map { $0.computeTerm(rows: 1) } }

    package func rebuilt(keeping kept: [String: [Int]]) throws -> ToyNetwork {
        let network = try ToyNetwork(kept: kept)
        network.usesGradientCheckpointing = usesGradientCheckpointing
        return network
    }

    /// `[B, inputs]` → `[B, outputs]`.
    package func callAsFunction(_ x: Variable) -> Variable {
        var stream = input(x)
        for block in blocks {
            let before = stream
            func corrected() -> Variable { before + block.second(block.first(before).activated(.silu)) }
            stream = usesGradientCheckpointing ? .checkpointed([before]) { _ in corrected() } : corrected()
        }
        return output(stream.activated(.silu))
    }

    /// The outputs for `inputs` `[B, inputs]`, nothing recorded.
    package func values(of inputs: Tensor) -> [Float] {
        Autograd.withoutRecording { self(Variable(inputs)).value.array }
    }
}
