import Foundation
import Layers
import LinearAlgebra
import Pruning
import TensorCore
import Training

/// Heads on features of a network, spread evenly over its convolutions, that tell what there is to tell of samples: of
/// classes from the mean over pixels by a softmax, of images (noise, as a denoiser predicts it) pixel by pixel.
///
///     classes:  L = mean cross-entropy of softmax(f̄·W + b),   f̄: the feature's mean over pixels
///     images:   L = mean (f·W + b − target)²,                 the target averaged over the feature's pixels
///
/// They are fitted to the network as it is: W and b of images by ridge regression, of classes by gradient descent, on
/// features of mean 0 and variance 1.
struct AuxiliaryHeads {
    /// The convolution whose output is the feature, and what is linear in it.
    struct Head {
        let layer: Parameter
        /// How many layers that read channels have run when the feature is there.
        let depth: Int
        fileprivate let weight: Variable
        fileprivate let bias: Variable
        /// The mean loss over the batches that it was fitted to.
        fileprivate(set) var fittedLoss = 0.0

        /// The loss of a feature `[B, H, W, C]`.
        func loss(_ feature: Variable, _ targets: SampleTargets) -> Variable {
            switch targets {
            case .classes(let labels, _):
                return feature.meanOverPixels().linear(weight, bias: bias).crossEntropy(to: labels)
            case .values(let images):
                let shape = feature.shape
                let pooled = Self.pooled(images, height: shape[1], width: shape[2])
                return feature.reshaped([shape[0] * shape[1] * shape[2], shape[3]]).linear(weight, bias: bias)
                    .meanSquaredError(to: pooled)
            }
        }

        /// Means over the pixels of a coarser grid, `[B·height·width, C]`.
        static func pooled(_ images: Tensor, height: Int, width: Int) -> Tensor {
            let shape = images.shape
            var sums = [Float](repeating: 0, count: shape[0] * height * width * shape[3])
            var counts = [Float](repeating: 0, count: height * width)
            for y in 0..<shape[1] {
                for x in 0..<shape[2] {
                    let cell = y * height / shape[1] * width + x * width / shape[2]
                    counts[cell] += 1
                    for image in 0..<shape[0] {
                        for channel in 0..<shape[3] {
                            sums[(image * height * width + cell) * shape[3] + channel] +=
                                images.pointer[((image * shape[1] + y) * shape[2] + x) * shape[3] + channel]
                        }
                    }
                }
            }
            for index in sums.indices { sums[index] /= max(counts[index / shape[3] % (height * width)], 1) }
            return Tensor(sums, shape: [shape[0] * height * width, shape[3]])
        }
    }

    /// In the order in which their features come.
    private(set) var heads: [Head] = []
    /// How many layers that read channels have run before each, by its weight.
    private(set) var depths: [ObjectIdentifier: Int] = [:]

    /// - Parameters:
    ///   - count: of heads, at most; fewer in a network of fewer convolutions.
    ///   - calibration: what they are fitted to.
    ///   - batches: how many of its batches.
    /// - Throws: what losses throw, `EvidenceError`, `LinearAlgebraError`.
    init(_ count: Int, from calibration: any TargetedCalibration, batches: Int) throws {
        let layers = LayerOrder()
        try layers.observing { _ = try Autograd.withoutRecording { try calibration.loss(batch: 0) } }
        depths = layers.depths
        let convolutions = layers.convolutions
        let places = (1..<(count + 1)).map { $0 * convolutions.count / (count + 1) }
        let chosen = Set(places).sorted().compactMap { convolutions.indices.contains($0) ? convolutions[$0] : nil }
        let features = FeatureReader(Set(chosen.map { ObjectIdentifier($0.weight) }))
        var samples: [ObjectIdentifier: FeatureSamples] = [:]
        for batch in 0..<batches {
            _ = try features.observing { try Autograd.withoutRecording { try calibration.loss(batch: batch) } }
            guard let targets = calibration.targets(batch: batch) else { continue }
            for (key, output) in features.outputs { samples[key, default: FeatureSamples()].add(output, targets) }
        }
        for layer in chosen {
            guard let known = samples[ObjectIdentifier(layer.weight)] else { continue }
            guard known.inputs.allSatisfy(\.isFinite) else { throw EvidenceError.notFinite("what a layer reads") }
            let (weight, bias, loss) = try known.fitted()
            heads.append(
                Head(layer: layer.weight, depth: layer.depth, weight: weight, bias: bias, fittedLoss: loss))
        }
    }

    /// The first head that a layer's outputs reach; nil where the network's own loss is the next.
    func head(after layer: Parameter) -> Head? {
        guard let depth = depths[ObjectIdentifier(layer)] else { return nil }
        return heads.first { $0.depth > depth }
    }

    private final class LayerOrder: OperationObserver {
        private(set) var depths: [ObjectIdentifier: Int] = [:]
        private(set) var convolutions: [(weight: Parameter, depth: Int)] = []
        private var count = 0

        func ran(_ operation: LayerOperation, inputs: [Variable], parameters: [Parameter], output: Variable) {
            guard let weight = parameters.first, weight.isMaskable, !inputs.isEmpty else { return }
            depths[ObjectIdentifier(weight)] = depths[ObjectIdentifier(weight)] ?? count
            count += 1
            if operation.window != nil, output.shape.count == 4 { convolutions.append((weight, count)) }
        }
    }
}

/// Keeps the outputs of some layers of the last pass, as they were computed.
final class FeatureReader: OperationObserver {
    private let layers: Set<ObjectIdentifier>
    private(set) var outputs: [ObjectIdentifier: Variable] = [:]

    init(_ layers: Set<ObjectIdentifier>) { self.layers = layers }

    func ran(_ operation: LayerOperation, inputs: [Variable], parameters: [Parameter], output: Variable) {
        guard let weight = parameters.first, !inputs.isEmpty, layers.contains(ObjectIdentifier(weight)) else { return }
        outputs[ObjectIdentifier(weight)] = output
    }
}

/// What a head is fitted to.
private struct FeatureSamples {
    /// Row after row.
    var inputs: [Double] = []
    var width = 0
    /// Of images: row after row.
    var outputs: [Double] = []
    var labels: [Int] = []
    var classCount = 0

    mutating func add(_ feature: Variable, _ targets: SampleTargets) {
        let shape = feature.shape
        width = shape[3]
        switch targets {
        case .classes(let labels, let count):
            inputs += feature.meanOverPixels().value.array.map(Double.init)
            self.labels += labels
            classCount = max(classCount, count)
        case .values(let images):
            inputs += feature.value.array.map(Double.init)
            outputs += AuxiliaryHeads.Head.pooled(images, height: shape[1], width: shape[2]).array.map(Double.init)
        }
    }

    /// W, b and the loss with them.
    func fitted() throws -> (weight: Variable, bias: Variable, loss: Double) {
        let rows = inputs.count / max(width, 1)
        var (means, deviations) = ([Double](repeating: 0, count: width), [Double](repeating: 0, count: width))
        for (index, value) in inputs.enumerated() { means[index % width] += value / Double(rows) }
        for (index, value) in inputs.enumerated() {
            deviations[index % width] += (value - means[index % width]) * (value - means[index % width]) / Double(rows)
        }
        deviations = deviations.map { $0 > 0 ? $0.squareRoot() : 1 }
        let normal = inputs.indices.map { (inputs[$0] - means[$0 % width]) / deviations[$0 % width] }
        let fit =
            labels.isEmpty
            ? try Self.regression(normal, rows: rows, columns: width, outputs)
            : try Self.classification(normal, rows: rows, columns: width, labels, count: classCount)
        // In terms of the feature itself.
        let count = fit.bias.count
        var (weight, bias) = (fit.weight, fit.bias)
        for index in weight.indices {
            weight[index] /= deviations[index / count]
            bias[index % count] -= weight[index] * means[index / count]
        }
        return (
            Variable(Tensor(weight.map { Float($0) }, shape: [width, count])),
            Variable(Tensor(bias.map { Float($0) }, shape: [count])), fit.loss
        )
    }

    private typealias Fit = (weight: [Double], bias: [Double], loss: Double)

    private static func regression(_ x: [Double], rows: Int, columns: Int, _ y: [Double]) throws -> Fit {
        let count = y.count / rows
        var means = [Double](repeating: 0, count: count)
        for (index, value) in y.enumerated() { means[index % count] += value / Double(rows) }
        let centred = y.indices.map { y[$0] - means[$0 % count] }
        let weight = try Ridge(x, rows: rows, columns: columns, penalty: 1e-3)
            .solve(centred, near: Array(repeating: 0, count: columns * count), outputs: count)
        var residual = centred
        try BLAS.multiply(
            x, by: weight.map { -$0 }, rows: rows, inner: columns, columns: count, beta: 1, into: &residual)
        return (weight, means, residual.reduce(0) { $0 + $1 * $1 } / Double(residual.count))
    }

    /// Logistic regression, by gradient descent with a step that the curvature of softmax allows, and a small price on
    /// large weights.
    private static func classification(
        _ x: [Double], rows: Int, columns: Int, _ labels: [Int], count: Int
    ) throws -> Fit {
        var (weight, bias) = ([Double](repeating: 0, count: columns * count), [Double](repeating: 0, count: count))
        let price = 1e-3
        // The curvature is at most half the largest eigenvalue of xᵀx/n, which is at most its trace.
        let step = 1 / (0.5 * Double(columns + 1) + price)
        var (loss, ahead) = (0.0, weight)
        var momentum = 1.0
        for _ in 0..<500 {
            var logits = (0..<(rows * count)).map { bias[$0 % count] }
            try BLAS.multiply(x, by: ahead, rows: rows, inner: columns, columns: count, beta: 1, into: &logits)
            loss = 0
            for row in 0..<rows {
                let range = (row * count)..<((row + 1) * count)
                let highest = logits[range].max() ?? 0
                let total = range.reduce(0) { $0 + exp(logits[$1] - highest) }
                loss -= (logits[row * count + labels[row]] - highest - log(total)) / Double(rows)
                for index in range { logits[index] = exp(logits[index] - highest) / total / Double(rows) }
                logits[row * count + labels[row]] -= 1 / Double(rows)
            }
            var gradient = ahead.map { price * $0 }
            try BLAS.multiply(
                x, transposed: true, by: logits, rows: columns, inner: rows, columns: count, beta: 1, into: &gradient)
            for (index, value) in logits.enumerated() { bias[index % count] -= step * value }
            let next = zip(ahead, gradient).map { $0 - step * $1 }
            let following = (1 + (1 + 4 * momentum * momentum).squareRoot()) / 2
            ahead = zip(next, weight).map { $0 + (momentum - 1) / following * ($0 - $1) }
            (weight, momentum) = (next, following)
        }
        return (weight, bias, loss)
    }
}
