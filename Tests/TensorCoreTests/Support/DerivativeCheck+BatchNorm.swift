import TensorCore

extension DerivativeCheck {
    /// Three channels; the middle one's gate may be anything without changing the others.
    static let batchNormalizations: [DerivativeCheck] =
        [Activation.identity, .silu, .relu].map { activation in
            DerivativeCheck(
                "gated batch norm, \(activation.rawValue)", [[2, 2, 3, 3], [3], [3], [3]],
                draws: [.normal, .normal, .normal, .gate], seed: 13
            ) {
                Reference.batchNorm($0[0], $0[1], $0[2], epsilon: 0.01, activation: activation, gate: $0[3])
            } engine: {
                $0[0].batchNormalized(gamma: $0[1], beta: $0[2], epsilon: 0.01, activation: activation, gate: $0[3])
            }
        } + [
            DerivativeCheck("batch norm", [[3, 2, 2, 5], [5], [5]]) {
                Reference.batchNorm($0[0], $0[1], $0[2], epsilon: 1e-5, activation: .identity)
            } engine: {
                $0[0].batchNormalized(gamma: $0[1], beta: $0[2], epsilon: 1e-5, activation: .identity)
            },
            DerivativeCheck(
                "gated batch norm by given moments", [[2, 2, 3, 3], [3], [3], [3]],
                draws: [.normal, .normal, .normal, .gate]
            ) {
                Reference.batchNorm(
                    $0[0], $0[1], $0[2], epsilon: 0.01, activation: .silu, gate: $0[3],
                    moments: (mean.map(Double.init), variance.map(Double.init)))
            } engine: {
                $0[0].batchNormalized(
                    gamma: $0[1], beta: $0[2], epsilon: 0.01, activation: .silu, gate: $0[3],
                    moments: (Tensor(mean, shape: [3]), Tensor(variance, shape: [3])))
            },
            DerivativeCheck("batch norm by given moments, of a normalised input", [[2, 2, 2, 3], [3], [3]]) {
                let inner = Reference.batchNorm($0[0], $0[1], $0[2], epsilon: 0.01, activation: .silu)
                return Reference.batchNorm(
                    inner, $0[1], $0[2], epsilon: 0.01, activation: .identity,
                    moments: (mean.map(Double.init), variance.map(Double.init)))
            } engine: {
                $0[0].batchNormalized(gamma: $0[1], beta: $0[2], epsilon: 0.01, activation: .silu)
                    .batchNormalized(
                        gamma: $0[1], beta: $0[2], epsilon: 0.01, activation: .identity,
                        moments: (Tensor(mean, shape: [3]), Tensor(variance, shape: [3])))
            },
        ]

    private static let mean: [Float] = [0.25, -0.5, 1]
    private static let variance: [Float] = [0.5, 2, 1.25]
}
