import TensorCore

extension DerivativeCheck {
    /// Operations on a concatenation that is not made.
    static let ofParts = [
        DerivativeCheck("1×1 convolution of parts", [[2, 3, 2, 3], [2, 3, 2, 5], [1, 1, 8, 4], [4]]) {
            Reference.convolution(Reference.concatenate([$0[0], $0[1]]), $0[2], bias: $0[3], padding: .none)
        } engine: {
            .convolved([$0[0], $0[1]], with: $0[2], bias: $0[3], padding: .none)
        },
        DerivativeCheck(
            "1×1 convolution of three parts with residual",
            [[1, 2, 2, 2], [1, 2, 2, 1], [1, 1, 5, 2], [1, 2, 2, 2]]
        ) {
            Reference.convolution(
                Reference.concatenate([$0[0], $0[1], $0[0]]), $0[2], residual: $0[3], padding: .none)
        } engine: {
            .convolved([$0[0], $0[1], $0[0]], with: $0[2], residual: $0[3], padding: .none)
        },
        DerivativeCheck(
            "gated group norm of parts, a group in both", [[2, 3, 2, 3], [2, 3, 2, 5], [8], [8], [8]],
            draws: [.normal, .normal, .normal, .normal, .gate]
        ) {
            Reference.groupNorm(
                Reference.concatenate([$0[0], $0[1]]), $0[2], $0[3], groupOfChannel: [0, 0, 1, 1, 1, 2, 2, 2],
                epsilon: 0.01, activation: .silu, gate: $0[4])
        } engine: {
            .groupNormalized(
                [$0[0], $0[1]], groups: NormalizationGroups(groupOfChannel: [0, 0, 1, 1, 1, 2, 2, 2]), gamma: $0[2],
                beta: $0[3], epsilon: 0.01, activation: .silu, gate: $0[4])
        },
        DerivativeCheck(
            "group norm of three parts with scale and shift",
            [[2, 2, 2, 1], [2, 2, 2, 4], [6], [6], [2, 6], [2, 6]]
        ) {
            Reference.groupNorm(
                Reference.concatenate([$0[0], $0[1], $0[0]]), $0[2], $0[3], groupOfChannel: [0, 0, 0, 1, 1, 1],
                epsilon: 0.1, activation: .gelu, scale: $0[4], shift: $0[5])
        } engine: {
            .groupNormalized(
                [$0[0], $0[1], $0[0]], groups: NormalizationGroups(width: 6, count: 2), gamma: $0[2], beta: $0[3],
                epsilon: 0.1, activation: .gelu, scale: $0[4], shift: $0[5])
        },
    ]

    /// Operations whose input is computed again in the backward pass, by one recipe or by several in a row.
    static let recomputed = [
        DerivativeCheck("convolution of a normalisation", [[2, 3, 2, 4], [4], [4], [3, 3, 4, 2]]) {
            Reference.convolution(
                Reference.groupNorm(
                    $0[0], $0[1], $0[2], groupOfChannel: [0, 0, 1, 1], epsilon: 0.1, activation: .silu), $0[3])
        } engine: {
            $0[0].groupNormalized(
                groups: NormalizationGroups(width: 4, count: 2), gamma: $0[1], beta: $0[2], epsilon: 0.1,
                activation: .silu
            ).convolved(with: $0[3])
        },
        DerivativeCheck("two products of a reshaped activation, gated", [[2, 6], [3, 2], [3, 2], [2]]) {
            let x = DoubleArray([4, 3], $0[0].map { Reference.apply(.silu, $0) }.values)
            return Reference.gate(Reference.linear(x, $0[1], nil).adding(1, Reference.linear(x, $0[2], nil)), $0[3])
        } engine: {
            let x = $0[0].activated(.silu).reshaped([4, 3])
            return (x.linear($0[1]) + x.linear($0[2])).gated(by: $0[3])
        },
        DerivativeCheck(
            "convolution of an upsampled product of activations", [[1, 2, 2, 2], [1, 2, 2, 2], [3, 3, 2, 2]]
        ) {
            let x = $0[0].map { Reference.apply(.silu, $0) }
            let y = $0[1].map { Reference.apply(.mish, $0) }
            let product = DoubleArray(x.shape, zip(x.values, y.values).map { $0 * $1 })
            return Reference.convolution(Reference.upsample(product), $0[2])
        } engine: {
            $0[0].activated(.silu).multiplied(by: $0[1].activated(.mish)).upsampled().convolved(with: $0[2])
        },
        DerivativeCheck("convolution of a filtered gated image", [[1, 2, 3, 2], [2], [1, 1, 2, 3]]) {
            Reference.convolution(Reference.filterUp(Reference.gate($0[0], $0[1])), $0[2], padding: .none)
        } engine: {
            $0[0].gated(by: $0[1]).filteredUp().convolved(with: $0[2], padding: .none)
        },
        DerivativeCheck(
            "attention over projections of an activation", [[2, 3, 4], [4, 4], [4, 4], [4, 4], [4]]
        ) {
            let x = $0[0].map { Reference.apply(.silu, $0) }
            let (q, k) = (Reference.linear(x, $0[1], $0[4]), Reference.linear(x, $0[2], nil))
            return Reference.attention(q, k, Reference.linear(x, $0[3], $0[4]), widths: [3, 1], scale: 0.6)
        } engine: {
            let x = $0[0].activated(.silu)
            let (q, k) = (x.linear($0[1], bias: $0[4]), x.linear($0[2]))
            return q.attention(
                keys: k, values: x.linear($0[3], bias: $0[4]), heads: AttentionHeads(widths: [3, 1], scale: 0.6))
        },
        DerivativeCheck("a checkpointed product that is used twice", [[3, 4], [4, 5], [5, 4]]) {
            let y = Reference.linear(Reference.linear($0[0], $0[1], nil).map { Reference.apply(.silu, $0) }, $0[2], nil)
            return y.adding(1, DoubleArray(y.shape, zip(y.values, $0[0].values).map { $0 * $1 }))
        } engine: { x in
            let y = Variable.checkpointed([x[0]]) { _ in x[0].linear(x[1]).activated(.silu).linear(x[2]) }
            return y + y.multiplied(by: x[0])
        },
    ]
}
