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
        run(x) {
            let product = product(x)
            let y = to.gate.map { product.gated(by: $0) } ?? product
            return SynapticPass.isOn ? y.carrying([x]) : y
        }
    }

    /// The same without gates, for a projection that is added to a channel before that channel's own gate.
    public func ungated(_ x: Variable) -> Variable {
        run(x) { SynapticPass.isOn ? product(x).carrying([x]) : product(x) }
    }

    private func product(_ x: Variable) -> Variable { x.linear(weight.effective, bias: bias.addend) }

    private func run(_ x: Variable, _ body: () -> Variable) -> Variable {
        LayerOperation.run(name, .linear, of: [x], parameters: parameters, products: from.width, body)
    }

    /// Whether layers of one input are one product: in a prediction that nobody looks at.
    public static var joinsLayers: Bool { PreparedWeights.isInUse && !LayerOperation.isObserved }

    /// Layers of one input, without gates, as one product in a prediction: `[…, Σ to]`, their outputs side by side.
    ///
    /// Only where `joinsLayers`.
    public static func joined(_ layers: [Linear], _ name: @autoclosure () -> String, of x: Variable) -> Variable {
        LayerOperation.run(name(), .linear, of: [x], products: layers[0].from.width) {
            x.linear(joining: layers.map { ($0.weight.effective, $0.bias.effective) })
        }
    }

    /// What is left of the layer when its input axis has no channels: its biases, on top of `residual`.
    public func biasAlone(onto residual: Variable) -> Variable {
        LayerOperation.run(name, .elementwise, of: [residual], parameters: [bias]) {
            guard !SynapticPass.isOn else { return residual }
            let bias = to.gate.map { self.bias.effective.gated(by: $0) } ?? self.bias.effective
            return residual + bias.broadcast(to: residual.shape)
        }
    }

    public func computeTerm(rows: Int) -> ComputeTerm {
        ComputeTerm(layer: name, coefficient: Double(rows), axes: [from, to])
    }
}
