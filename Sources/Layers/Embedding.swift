import TensorCore

/// A table of vectors looked up by number.
public struct Embedding: Layer {
    public let weight: Parameter
    public let to: ChannelAxis
    public let count: Int
    let name: String

    public init(_ name: String, count: Int, to: ChannelAxis) {
        self.name = name
        self.count = count
        self.to = to
        weight = Parameter(
            name + ".weight", layout: .plain, axes: [nil, to], shape: [count, to.width],
            initialization: .normal(standardDeviation: 1))
    }

    public var parameters: [Parameter] { [weight] }

    /// `indices` (each in 0..<count) → `[indices.count, to]`, multiplied by the gates of `to`; rows of ones in a
    /// `SynapticPass`.
    public func callAsFunction(_ indices: [Int]) -> Variable {
        LayerOperation.run(name, .embedding, of: [], inputShape: [indices.count], parameters: parameters) {
            let rows =
                SynapticPass.isOn
                ? Variable(Tensor(ones: [indices.count, to.width])) : weight.effective.gatheredRows(indices)
            return to.gate.map { rows.gated(by: $0) } ?? rows
        }
    }
}
