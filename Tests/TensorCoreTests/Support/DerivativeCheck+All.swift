import TensorCore

extension DerivativeCheck {
    static let all: [DerivativeCheck] =
        convolutions + products + normalizations + attentions + pointwise + rearrangements + losses + ofParts
        + recomputed + functions + reductions + masks + batchNormalizations

    private static func convolution(
        _ name: String, x: [Int], kernel: Int = 3, to outputs: Int, stride: Int = 1, padding: ConvolutionPadding = .one
    ) -> DerivativeCheck {
        DerivativeCheck("convolution, \(name)", [x, [kernel, kernel, x[3], outputs], [outputs]]) {
            Reference.convolution($0[0], $0[1], bias: $0[2], stride: stride, padding: padding)
        } engine: {
            $0[0].convolved(with: $0[1], bias: $0[2], stride: stride, padding: padding)
        }
    }

    private static let convolutions = [
        convolution("3×3", x: [2, 3, 4, 2], to: 3),
        convolution("3×3 of odd widths and sizes", x: [1, 5, 3, 3], to: 5),
        convolution("3×3 wider than a register", x: [1, 2, 2, 2], to: 19),
        convolution("3×3 without padding", x: [1, 4, 5, 2], to: 2, padding: .none),
        convolution("3×3 on one pixel", x: [2, 1, 1, 3], to: 2),
        convolution("3×3 of stride 2", x: [2, 4, 6, 2], to: 3, stride: 2),
        convolution("3×3 of stride 2 on odd sizes", x: [1, 5, 3, 2], to: 2, stride: 2),
        convolution(
            "3×3 of stride 2, bottom and right padded", x: [1, 4, 6, 2], to: 3, stride: 2, padding: .bottomRight),
        convolution(
            "3×3 with unequal padding", x: [1, 3, 3, 2], to: 2,
            padding: ConvolutionPadding(top: 2, left: 0, bottom: 1, right: 2)),
        convolution("1×1", x: [2, 3, 2, 3], kernel: 1, to: 4, padding: .none),
        convolution("1×1 of stride 2", x: [1, 5, 4, 2], kernel: 1, to: 3, stride: 2, padding: .none),
        DerivativeCheck(
            "convolution with image bias and residual", [[2, 3, 2, 2], [3, 3, 2, 3], [3], [2, 3], [2, 3, 2, 3]]
        ) {
            Reference.convolution($0[0], $0[1], bias: $0[2], imageBias: $0[3], residual: $0[4])
        } engine: {
            $0[0].convolved(with: $0[1], bias: $0[2], imageBias: $0[3], residual: $0[4])
        },
        DerivativeCheck("convolution without bias, its input used twice", [[1, 3, 3, 2], [3, 3, 2, 2]]) {
            Reference.convolution($0[0], $0[1], residual: $0[0])
        } engine: {
            $0[0].convolved(with: $0[1], residual: $0[0])
        },
        DerivativeCheck("two convolutions with the same weights", [[1, 3, 2, 2], [3, 3, 2, 2], [2]]) {
            Reference.convolution(Reference.convolution($0[0], $0[1], bias: $0[2]), $0[1], bias: $0[2])
        } engine: {
            $0[0].convolved(with: $0[1], bias: $0[2]).convolved(with: $0[1], bias: $0[2])
        },
    ]

    private static let products = [
        DerivativeCheck("linear", [[3, 4], [4, 5], [5]]) {
            Reference.linear($0[0], $0[1], $0[2])
        } engine: {
            $0[0].linear($0[1], bias: $0[2])
        },
        DerivativeCheck("linear on tokens, without bias", [[2, 3, 5], [5, 7]]) {
            Reference.linear($0[0], $0[1], nil)
        } engine: {
            $0[0].linear($0[1])
        },
        DerivativeCheck("gathered rows", [[4, 3]]) {
            Reference.gather($0[0], [2, 0, 2, 3])
        } engine: {
            $0[0].gatheredRows([2, 0, 2, 3])
        },
    ]

    private static let ragged = [0, 2, 0, 1, 2, 2, 2]

    private static func gatedNorm(_ activation: Activation) -> DerivativeCheck {
        DerivativeCheck(
            "gated group norm over ragged groups, \(activation.rawValue)", [[2, 2, 3, 7], [7], [7], [7]],
            draws: [.normal, .normal, .normal, .gate], seed: activation == .relu ? 13 : 11
        ) {
            Reference.groupNorm(
                $0[0], $0[1], $0[2], groupOfChannel: ragged, epsilon: 0.01, activation: activation, gate: $0[3])
        } engine: {
            $0[0].groupNormalized(
                groups: NormalizationGroups(groupOfChannel: ragged), gamma: $0[1], beta: $0[2], epsilon: 0.01,
                activation: activation, gate: $0[3])
        }
    }

    private static let normalizations =
        Activation.allCases.map(gatedNorm) + [
            DerivativeCheck("group norm", [[2, 3, 2, 6], [6], [6]]) {
                Reference.groupNorm(
                    $0[0], $0[1], $0[2], groupOfChannel: [0, 0, 0, 1, 1, 1], epsilon: 1e-5, activation: .identity)
            } engine: {
                $0[0].groupNormalized(
                    groups: NormalizationGroups(width: 6, count: 2), gamma: $0[1], beta: $0[2], epsilon: 1e-5,
                    activation: .identity)
            },
            DerivativeCheck(
                "gated group norm with scale and shift", [[2, 2, 3, 4], [4], [4], [4], [2, 4], [2, 4]],
                draws: [.normal, .normal, .normal, .gate]
            ) {
                Reference.groupNorm(
                    $0[0], $0[1], $0[2], groupOfChannel: [0, 0, 0, 1], epsilon: 0.01, activation: .silu, gate: $0[3],
                    scale: $0[4], shift: $0[5])
            } engine: {
                $0[0].groupNormalized(
                    groups: NormalizationGroups(groupOfChannel: [0, 0, 0, 1]), gamma: $0[1], beta: $0[2], epsilon: 0.01,
                    activation: .silu, gate: $0[3], scale: $0[4], shift: $0[5])
            },
        ]

    private static func attention(_ name: String, _ shape: [Int], widths: [Int]) -> DerivativeCheck {
        DerivativeCheck("attention, \(name)", [shape, shape, shape]) {
            Reference.attention($0[0], $0[1], $0[2], widths: widths, scale: 0.75)
        } engine: {
            $0[0].attention(keys: $0[1], values: $0[2], heads: AttentionHeads(widths: widths, scale: 0.75))
        }
    }

    private static let attentions = [
        attention("one head", [2, 3, 4], widths: [4]),
        attention("heads of different widths", [2, 4, 6], widths: [3, 1, 2]),
        attention("a head that is gone", [1, 3, 4], widths: [2, 0, 2]),
        attention("one token", [2, 1, 4], widths: [2, 2]),
        DerivativeCheck("self-attention over one projection", [[2, 3, 4]]) {
            Reference.attention($0[0], $0[0], $0[0], widths: [2, 2], scale: 0.5)
        } engine: {
            $0[0].attention(keys: $0[0], values: $0[0], heads: AttentionHeads(widths: [2, 2], scale: 0.5))
        },
    ]

    private static let pointwise =
        Activation.allCases.map { activation in
            DerivativeCheck(activation.rawValue, [[4, 7]], draws: [.awayFromZero]) {
                $0[0].map { Reference.apply(activation, $0) }
            } engine: {
                $0[0].activated(activation)
            }
        } + [
            DerivativeCheck("combination", [[3, 4], [3, 4]]) {
                $0[0].map { 0.5 * $0 }.adding(-2, $0[1])
            } engine: {
                $0[0].combined(0.5, plus: $0[1], times: -2)
            },
            DerivativeCheck("sum and difference", [[3, 4], [3, 4]]) {
                $0[0].map { 2 * $0 }.adding(-1, $0[1])
            } engine: {
                ($0[0] - $0[1]) + $0[0]
            },
            DerivativeCheck("scaling", [[5]]) {
                $0[0].map { -0.3 * $0 }
            } engine: {
                $0[0].scaled(by: -0.3)
            },
            DerivativeCheck("product", [[3, 4], [3, 4]]) {
                DoubleArray($0[0].shape, zip($0[0].values, $0[1].values).map { $0 * $1 })
            } engine: {
                $0[0].multiplied(by: $0[1])
            },
            DerivativeCheck("gating", [[2, 3, 2, 5], [5]]) {
                Reference.gate($0[0], $0[1])
            } engine: {
                $0[0].gated(by: $0[1])
            },
        ]

    private static let rearrangements = [
        DerivativeCheck("concatenation", [[2, 3, 2], [2, 3, 5], [2, 3, 1]]) {
            Reference.concatenate($0)
        } engine: {
            Variable.concatenated($0)
        },
        DerivativeCheck("channel slices that overlap", [[2, 3, 5]]) {
            Reference.channels($0[0], 1..<4).adding(1, Reference.channels($0[0], 2..<5))
        } engine: {
            $0[0].channels(1..<4) + $0[0].channels(2..<5)
        },
        DerivativeCheck("reshaping", [[2, 6]]) {
            DoubleArray([3, 4], $0[0].values)
        } engine: {
            $0[0].reshaped([3, 4])
        },
        DerivativeCheck("upsampling", [[2, 2, 3, 3]]) {
            Reference.upsample($0[0])
        } engine: {
            $0[0].upsampled()
        },
        DerivativeCheck("average pooling", [[2, 4, 2, 3]]) {
            Reference.averagePool($0[0])
        } engine: {
            $0[0].averagePooled()
        },
        DerivativeCheck("maxima of squares, an odd row and column left over", [[2, 5, 3, 3]]) {
            Reference.maxPool($0[0])
        } engine: {
            $0[0].maximumPooled()
        },
        DerivativeCheck("maxima wider than a register, their input used twice", [[1, 2, 4, 19]]) {
            Reference.maxPool($0[0]).adding(1, Reference.averagePool($0[0]))
        } engine: {
            $0[0].maximumPooled() + $0[0].averagePooled()
        },
        DerivativeCheck("filtering down", [[2, 4, 6, 3]]) {
            Reference.filterDown($0[0])
        } engine: {
            $0[0].filteredDown()
        },
        DerivativeCheck("filtering up", [[2, 2, 3, 3]]) {
            Reference.filterUp($0[0])
        } engine: {
            $0[0].filteredUp()
        },
        DerivativeCheck("mean over pixels", [[2, 3, 2, 3]]) {
            Reference.meanOverPixels($0[0])
        } engine: {
            $0[0].meanOverPixels()
        },
    ]

    private static let target = DoubleArray([3, 4], (0..<12).map { Double($0) * 0.25 - 1 })

    /// Some of them 0.
    private static let weights: [Float] = [0.5, 1, 0, 2, 0.25, 0, 1, 1, 3, 0.125, 0, 1]

    private static let distributions = DoubleArray([3, 4], [0.25, 0.25, 0.5, 0, 1, 0, 0, 0, 0.125, 0.125, 0.25, 0.5])

    private static let losses = [
        DerivativeCheck("mean squared error", [[3, 4]]) {
            DoubleArray([], [Reference.meanSquaredError($0[0], target)])
        } engine: {
            $0[0].meanSquaredError(to: target.tensor)
        },
        DerivativeCheck("weighted squared error", [[3, 4]]) {
            let squares = zip($0[0].values, target.values).map { ($0 - $1) * ($0 - $1) }
            return DoubleArray([], [zip(squares, weights).reduce(0) { $0 + $1.0 * Double($1.1) }])
        } engine: {
            $0[0].weightedSquaredError(to: target.tensor, weights: Tensor(weights, shape: [3, 4]))
        },
        DerivativeCheck("cross-entropy", [[3, 4]]) {
            DoubleArray([], [Reference.crossEntropy($0[0], [1, 3, 0])])
        } engine: {
            $0[0].crossEntropy(to: [1, 3, 0])
        },
        DerivativeCheck("cross-entropy to distributions", [[3, 4]]) {
            DoubleArray([], [Reference.crossEntropy($0[0], distributions)])
        } engine: {
            $0[0].crossEntropy(toDistributions: distributions.tensor)
        },
    ]
}
