import Layers
import TensorCore

/// A perceptron of one hidden layer: `[B, 1]` → `[B, 1]`.
final class Perceptron: ChannelNetwork {
    let channelGroups: [ChannelGroup]
    private let width: Int
    private let hidden: Linear
    private let output: Linear

    /// - Parameters:
    ///   - width: hidden channels before any pruning.
    ///   - kept: channels left by the name of their axis; what is not named is whole.
    init(width: Int, keeping kept: [String: [Int]] = [:]) throws {
        self.width = width
        let axes = ChannelAxisBuilder(kept: kept)
        let inner = try axes.axis("hidden", width: width)
        try axes.checkAllUsed()
        channelGroups = axes.groups
        hidden = Linear("hidden", from: .fixed("input", width: 1), to: inner)
        output = Linear("output", from: inner, to: .fixed("output", width: 1))
    }

    func callAsFunction(_ x: Variable) -> Variable { output(hidden(x).activated(.silu)) }

    var parameters: [Parameter] { hidden.parameters + output.parameters }
    var normalizations: [any ChannelNormalization] { [] }
    var computeTerms: [ComputeTerm] { [hidden.computeTerm(rows: 1), output.computeTerm(rows: 1)] }

    func rebuilt(keeping kept: [String: [Int]]) throws -> Perceptron { try Perceptron(width: width, keeping: kept) }
}
