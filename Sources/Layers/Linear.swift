import TensorCore

/// A fully connected layer between two channel axes.
public struct Linear: Layer {
    public let weight: Parameter
    public let bias: Parameter
    public let from: ChannelAxis
    public let to: ChannelAxis
    public let name: String

    public init(_ name: String, from: ChannelAxis, to: ChannelAxis) {
        self.name = name
        self.from = from
        self.to = to
        let initialization = ParameterInitialization.uniform(fanIn: from.originalWidth)
        weight = Parameter(
            name + ".weight", layout: .linear, axes: [from, to], shape: [from.width, to.width],
            initialization: initialization)
        bias = Parameter(name + ".bias", layout: .plain, axes: [to], shape: [to.width], initialization: initialization)
    }

    public var parameters: [Parameter] { [weight, bias] }

    /// `[…, from]` → `[…, to]`, multiplied by the gates of `to`.
    public func callAsFunction(_ x: Variable) -> Variable {
        let y = ungated(x)
        return to.gate.map { y.gated(by: $0) } ?? y
    }

    /// The same without gates, for a projection that is added to a channel before that channel's own gate.
    public func ungated(_ x: Variable) -> Variable {
        OperationProfile.timed(name, .linear, inputShape: x.shape, products: from.width) {
            x.linear(weight.effective, bias: bias.effective)
        }
    }

    /// Layers of one input, without gates, as one product in a prediction: `[…, Σ to]`, their outputs side by side.
    ///
    /// Only where `PreparedWeights.isInUse`.
    public static func joined(_ layers: [Linear], _ name: @autoclosure () -> String, of x: Variable) -> Variable {
        OperationProfile.timed(name(), .linear, inputShape: x.shape, products: layers[0].from.width) {
            x.linear(joining: layers.map { ($0.weight.effective, $0.bias.effective) })
        }
    }

    public func computeTerm(rows: Int) -> ComputeTerm {
        ComputeTerm(layer: name, coefficient: Double(rows), axes: [from, to])
    }
}
