import TensorCore

/// diffusers' attention block over the pixels of an image: normalise, project to queries, keys and values over an
/// inner axis of heads × head width, attend, project back, add the input, divide by `rescale`.
public struct SelfAttention: Layer {
    public let norm: GroupNorm?
    public let toQuery: Linear, toKey: Linear, toValue: Linear, toOutput: Linear
    public let inner: ChannelAxis
    public let heads: AttentionHeads
    public let rescale: Float
    public let name: String

    /// - Parameters:
    ///   - name: in files.
    ///   - stream: the axis read from and added to.
    ///   - inner: heads × `headWidth`; channels of a head may have been pruned.
    ///   - headWidth: channels of a head before any pruning.
    ///   - groupCount: groups of the normalisation; nil for none.
    ///   - epsilon: added to the normalisation's variances.
    ///   - rescale: what the sum is divided by.
    public init(
        _ name: String, stream: ChannelAxis, inner: ChannelAxis, headWidth: Int, groupCount: Int?, epsilon: Float,
        rescale: Float
    ) throws {
        self.name = name
        self.inner = inner
        self.rescale = rescale
        norm = try groupCount.map {
            try GroupNorm(name + ".group_norm", axis: stream, groupCount: $0, epsilon: epsilon, branch: inner)
        }
        toQuery = Linear(name + ".to_q", from: stream, to: inner)
        toKey = Linear(name + ".to_k", from: stream, to: inner)
        toValue = Linear(name + ".to_v", from: stream, to: inner)
        toOutput = Linear(name + ".to_out.0", from: inner, to: stream)
        var widths = Array(repeating: 0, count: inner.originalWidth / headWidth)
        for position in inner.keptPositions { widths[position / headWidth] += 1 }
        heads = AttentionHeads(widths: widths, scale: 1 / Float(headWidth).squareRoot())
    }

    /// Whether every channel of the inner axis has left: the block then adds biases to its input.
    public var isRemoved: Bool { inner.width == 0 }

    /// The normalisation, where the block has one and still computes it.
    public var normalization: GroupNorm? { isRemoved ? nil : norm }

    public var parameters: [Parameter] {
        if isRemoved { return [toOutput.bias] }
        return (norm?.parameters ?? []) + toQuery.parameters + toKey.parameters + toValue.parameters
            + toOutput.parameters
    }

    /// `[B, H, W, C]` → the same shape.
    public func callAsFunction(_ x: Variable) -> Variable {
        guard !isRemoved else {
            let sum = toOutput.biasAlone(onto: x)
            return rescale == 1 ? sum : sum.scaled(by: 1 / rescale)
        }
        let shape = x.shape
        let tokens = (norm.map { $0(x) } ?? x).reshaped([shape[0], shape[1] * shape[2], shape[3]])
        let projected = toOutput(attended(tokens)).reshaped(shape)
        return LayerOperation.run(name + ".residual", .elementwise, of: [projected, x], inputShape: shape) {
            rescale == 1 ? projected + x : (projected + x).scaled(by: 1 / rescale)
        }
    }

    /// `[B, T, stream]` → `[B, T, inner]`; queries, keys and values are one product in a prediction. In a
    /// `SynapticPass` each token's mean of query, key and value.
    private func attended(_ tokens: Variable) -> Variable {
        let shape = [tokens.shape[0], tokens.shape[1], inner.width]
        func products(of inputs: [Variable], _ operation: () -> Variable) -> Variable {
            LayerOperation.run(
                name + ".products", .attention, of: inputs, inputShape: shape, products: 2 * tokens.shape[1], operation)
        }
        if Linear.joinsLayers && inner.gate == nil {
            let joined = Linear.joined([toQuery, toKey, toValue], name + ".to_qkv", of: tokens)
            return products(of: [joined]) { joined.jointAttention(heads: heads) }
        }
        let (queries, keys, values) = (toQuery(tokens), toKey(tokens), toValue(tokens))
        return products(of: [queries, keys, values]) {
            // Not linear in any two of them; all three have to be reached.
            SynapticPass.isOn
                ? (queries + keys + values).scaled(by: 1 / 3)
                : queries.attention(keys: keys, values: values, heads: heads)
        }
    }

    public func computeTerms(pixels: Int) -> [ComputeTerm] {
        [toQuery, toKey, toValue, toOutput].map { $0.computeTerm(rows: pixels) } + [
            ComputeTerm(layer: name + ".products", coefficient: 2 * Double(pixels) * Double(pixels), axes: [inner])
        ]
    }
}
