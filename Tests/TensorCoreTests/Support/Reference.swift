import Foundation
import TensorCore

/// The operations written out naively in Double, independently of the engine.
enum Reference {
    /// `[B, H, W, I]` with `[k, k, I, O]`; `imageBias` `[B, O]`.
    static func convolution(
        _ x: DoubleArray, _ w: DoubleArray, bias: DoubleArray? = nil, imageBias: DoubleArray? = nil,
        residual: DoubleArray? = nil, stride: Int = 1, padding: ConvolutionPadding = .one
    ) -> DoubleArray {
        let kernel = w.shape[0]
        let height = (x.shape[1] + padding.top + padding.bottom - kernel) / stride + 1
        let width = (x.shape[2] + padding.left + padding.right - kernel) / stride + 1
        var y = DoubleArray(zeros: [x.shape[0], height, width, w.shape[3]])
        for b in 0..<x.shape[0] {
            for h in 0..<height {
                for v in 0..<width {
                    for o in 0..<w.shape[3] {
                        var sum = (bias?.values[o] ?? 0) + (imageBias?[b, o] ?? 0) + (residual?[b, h, v, o] ?? 0)
                        for kh in 0..<kernel {
                            for kw in 0..<kernel {
                                let (row, column) = (h * stride + kh - padding.top, v * stride + kw - padding.left)
                                guard (0..<x.shape[1]).contains(row), (0..<x.shape[2]).contains(column) else {
                                    continue
                                }
                                for i in 0..<x.shape[3] { sum += x[b, row, column, i] * w[kh, kw, i, o] }
                            }
                        }
                        y[b, h, v, o] = sum
                    }
                }
            }
        }
        return y
    }

    static func linear(_ x: DoubleArray, _ w: DoubleArray, _ bias: DoubleArray?) -> DoubleArray {
        var y = DoubleArray(zeros: Array(x.shape.dropLast()) + [w.columns])
        for row in 0..<x.rows {
            for o in 0..<w.columns {
                y[row, o] = (0..<x.columns).reduce(bias?.values[o] ?? 0) { $0 + x[row, $1] * w[$1, o] }
            }
        }
        return y
    }

    /// x [B, H, W, C]; gamma, beta, gate [C]; scale, shift [B, C].
    static func groupNorm(
        _ x: DoubleArray, _ gamma: DoubleArray, _ beta: DoubleArray, groupOfChannel: [Int], epsilon: Double,
        activation: Activation, gate: DoubleArray? = nil, scale: DoubleArray? = nil, shift: DoubleArray? = nil
    ) -> DoubleArray {
        let pixels = x.shape[1] * x.shape[2]
        let channels = x.columns
        var y = DoubleArray(zeros: x.shape)
        for b in 0..<x.shape[0] {
            let rows = b * pixels..<(b + 1) * pixels
            for group in Set(groupOfChannel).sorted() {
                let members = (0..<channels).filter { groupOfChannel[$0] == group }
                func mean(_ term: (Int, Int) -> Double) -> Double {
                    var (sum, weight) = (0.0, 0.0)
                    for row in rows {
                        for c in members {
                            sum += (gate?.values[c] ?? 1) * term(row, c)
                            weight += gate?.values[c] ?? 1
                        }
                    }
                    return sum / weight
                }
                let average = mean { x[$0, $1] }
                let variance = mean { (x[$0, $1] - average) * (x[$0, $1] - average) }
                for row in rows {
                    for c in members {
                        var z = (x[row, c] - average) / (variance + epsilon).squareRoot()
                        z = z * gamma.values[c] + beta.values[c]
                        z = z * (1 + (scale?[b, c] ?? 0)) + (shift?[b, c] ?? 0)
                        y[row, c] = (gate?.values[c] ?? 1) * apply(activation, z)
                    }
                }
            }
        }
        return y
    }

    /// q, k, v `[B, T, inner]`, heads side by side.
    static func attention(_ q: DoubleArray, _ k: DoubleArray, _ v: DoubleArray, widths: [Int], scale: Double)
        -> DoubleArray
    {
        let (batch, tokens) = (q.shape[0], q.shape[1])
        var y = DoubleArray(zeros: q.shape)
        var offset = 0
        for width in widths {
            let columns = offset..<offset + width
            offset += width
            for b in 0..<batch {
                for t in 0..<tokens {
                    let weights = (0..<tokens).map { s in
                        exp(scale * columns.reduce(0) { $0 + q[b * tokens + t, $1] * k[b * tokens + s, $1] })
                    }
                    let total = weights.reduce(0, +)
                    for c in columns {
                        y[b * tokens + t, c] = (0..<tokens).reduce(0) {
                            $0 + weights[$1] / total * v[b * tokens + $1, c]
                        }
                    }
                }
            }
        }
        return y
    }

    static func apply(_ activation: Activation, _ x: Double) -> Double {
        switch activation {
        case .identity: x
        case .silu: x / (1 + exp(-x))
        case .gelu: 0.5 * x * (1 + erf(x / 2.0.squareRoot()))
        case .relu: max(x, 0)
        case .mish: x * tanh(log1p(exp(x)))
        }
    }

    static func upsample(_ x: DoubleArray) -> DoubleArray {
        var y = DoubleArray(zeros: [x.shape[0], 2 * x.shape[1], 2 * x.shape[2], x.shape[3]])
        forEach(y.shape) { b, h, w, c in y[b, h, w, c] = x[b, h / 2, w / 2, c] }
        return y
    }

    static func averagePool(_ x: DoubleArray) -> DoubleArray {
        var y = DoubleArray(zeros: [x.shape[0], x.shape[1] / 2, x.shape[2] / 2, x.shape[3]])
        forEach(x.shape) { b, h, w, c in y[b, h / 2, w / 2, c] += x[b, h, w, c] / 4 }
        return y
    }

    static func maxPool(_ x: DoubleArray) -> DoubleArray {
        var y = DoubleArray(zeros: [x.shape[0], x.shape[1] / 2, x.shape[2] / 2, x.shape[3]])
        forEach(y.shape) { b, h, w, c in
            let values = [(0, 0), (0, 1), (1, 0), (1, 1)].map { x[b, 2 * h + $0.0, 2 * w + $0.1, c] }
            y[b, h, w, c] = values.reduce(values[0], max)
        }
        return y
    }

    /// x [B, …, C] with the moments of each channel, or given ones; gates multiply what comes out.
    static func batchNorm(
        _ x: DoubleArray, _ gamma: DoubleArray, _ beta: DoubleArray, epsilon: Double, activation: Activation,
        gate: DoubleArray? = nil, moments: (mean: [Double], variance: [Double])? = nil
    ) -> DoubleArray {
        var y = DoubleArray(zeros: x.shape)
        for c in 0..<x.columns {
            let values = (0..<x.rows).map { x[$0, c] }
            let count = Double(values.count)
            let mean = moments?.mean[c] ?? values.reduce(0, +) / count
            let variance = moments?.variance[c] ?? values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
            for row in 0..<x.rows {
                let z = (x[row, c] - mean) / (variance + epsilon).squareRoot() * gamma.values[c] + beta.values[c]
                y[row, c] = (gate?.values[c] ?? 1) * apply(activation, z)
            }
        }
        return y
    }

    /// Half the size: every second value of the filtered image (1, 3, 3, 1)⊗(1, 3, 3, 1)/64, zeros beyond it.
    static func filterDown(_ x: DoubleArray) -> DoubleArray {
        filter(x, [x.shape[0], x.shape[1] / 2, x.shape[2] / 2, x.shape[3]], gain: 1) { x, b, row, column, c in
            guard x.shape[1] > row, x.shape[2] > column, row >= 0, column >= 0 else { return 0 }
            return x[b, row, column, c]
        } start: {
            2 * $0 - 1
        }
    }

    /// Twice the size: zeros after every pixel, then the filter times four, two zeros before and one after.
    static func filterUp(_ x: DoubleArray) -> DoubleArray {
        filter(x, [x.shape[0], 2 * x.shape[1], 2 * x.shape[2], x.shape[3]], gain: 4) { x, b, row, column, c in
            guard row % 2 == 0, column % 2 == 0, row >= 0, column >= 0, row / 2 < x.shape[1], column / 2 < x.shape[2]
            else { return 0 }
            return x[b, row / 2, column / 2, c]
        } start: {
            $0 - 2
        }
    }

    private static func filter(
        _ x: DoubleArray, _ shape: [Int], gain: Double, _ pixel: (DoubleArray, Int, Int, Int, Int) -> Double,
        start: (Int) -> Int
    ) -> DoubleArray {
        let taps = [1.0, 3, 3, 1]
        var y = DoubleArray(zeros: shape)
        forEach(shape) { b, h, w, c in
            for (i, vertical) in taps.enumerated() {
                for (j, horizontal) in taps.enumerated() {
                    y[b, h, w, c] +=
                        gain / 64 * vertical * horizontal * pixel(x, b, start(h) + i, start(w) + j, c)
                }
            }
        }
        return y
    }

    static func meanOverPixels(_ x: DoubleArray) -> DoubleArray {
        var y = DoubleArray(zeros: [x.shape[0], x.shape[3]])
        let pixels = Double(x.shape[1] * x.shape[2])
        forEach(x.shape) { b, h, w, c in y[b, c] += x[b, h, w, c] / pixels }
        return y
    }

    static func rowSums(_ x: DoubleArray) -> DoubleArray {
        DoubleArray(Array(x.shape.dropLast()), (0..<x.rows).map { r in (0..<x.columns).reduce(0) { $0 + x[r, $1] } })
    }

    static func concatenate(_ parts: [DoubleArray]) -> DoubleArray {
        let columns = parts.reduce(0) { $0 + $1.columns }
        var y = DoubleArray(zeros: Array(parts[0].shape.dropLast()) + [columns])
        for row in 0..<y.rows {
            var offset = 0
            for part in parts {
                for c in 0..<part.columns { y[row, offset + c] = part[row, c] }
                offset += part.columns
            }
        }
        return y
    }

    static func channels(_ x: DoubleArray, _ range: Range<Int>) -> DoubleArray {
        DoubleArray(Array(x.shape.dropLast()) + [range.count], (0..<x.rows).flatMap { r in range.map { x[r, $0] } })
    }

    static func gate(_ x: DoubleArray, _ m: DoubleArray) -> DoubleArray {
        DoubleArray(x.shape, x.values.enumerated().map { $1 * m.values[$0 % x.columns] })
    }

    static func gather(_ table: DoubleArray, _ indices: [Int]) -> DoubleArray {
        DoubleArray([indices.count, table.columns], indices.flatMap { r in (0..<table.columns).map { table[r, $0] } })
    }

    static func meanSquaredError(_ x: DoubleArray, _ target: DoubleArray) -> Double {
        zip(x.values, target.values).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / Double(x.values.count)
    }

    static func crossEntropy(_ logits: DoubleArray, _ labels: [Int]) -> Double {
        labels.enumerated().reduce(0) { loss, entry in
            let (row, label) = entry
            let total = (0..<logits.columns).reduce(0) { $0 + exp(logits[row, $1]) }
            return loss + log(total) - logits[row, label]
        } / Double(labels.count)
    }

    static func crossEntropy(_ logits: DoubleArray, _ targets: DoubleArray) -> Double {
        (0..<logits.rows).reduce(0) { loss, row in
            let total = (0..<logits.columns).reduce(0) { $0 + exp(logits[row, $1]) }
            return (0..<logits.columns).reduce(loss) { $0 + targets[row, $1] * (log(total) - logits[row, $1]) }
        } / Double(logits.rows)
    }

    private static func forEach(_ shape: [Int], _ body: (Int, Int, Int, Int) -> Void) {
        for b in 0..<shape[0] {
            for h in 0..<shape[1] {
                for w in 0..<shape[2] { for c in 0..<shape[3] { body(b, h, w, c) } }
            }
        }
    }
}
