import Layers
import TensorCore

/// What the channels that convolutions and linear layers read look like, over all positions of the calibration batches.
public struct InputStatistics: EvidenceKind {
    public static let name = "activations"

    /// Of the inputs of one layer, by channel in the order in which its weight has them.
    public struct Channels {
        /// Mean of x.
        public fileprivate(set) var mean: [Double]
        /// Mean of |x|.
        public fileprivate(set) var meanSize: [Double]
        /// Mean of x²: the second moment.
        public fileprivate(set) var meanSquare: [Double]

        /// Mean of (x − mean)².
        public var variance: [Double] { zip(mean, meanSquare).map { max(0, $1 - $0 * $0) } }
    }

    /// By the layer's weight; layers that a loss does not reach are missing.
    public struct Value {
        fileprivate var layers: [ObjectIdentifier: Channels] = [:]

        public subscript(weight: Parameter) -> Channels? { layers[ObjectIdentifier(weight)] }
    }

    public init() {}

    public func gather(at masks: Masks, from source: EvidenceSource) throws -> Value {
        let calibration: any CalibrationSource = try source.calibration(for: Self.self)
        let sums = Sums()
        try masks.applied {
            try sums.observing {
                for batch in 0..<calibration.batchCount {
                    _ = try Autograd.withoutRecording { try calibration.loss(batch: batch) }
                }
            }
        }
        return try sums.means()
    }

    private final class Sums: OperationObserver {
        private struct Layer {
            var sum: [Double]
            var size: [Double]
            var square: [Double]
            var rows = 0
            let name: String
        }
        private var layers: [ObjectIdentifier: Layer] = [:]

        func ran(_ operation: LayerOperation, inputs: [Variable], parameters: [Parameter], output: Variable) {
            guard let weight = parameters.first, weight.isMaskable else { return }
            let widths = inputs.map { $0.shape.last ?? 1 }
            let width = widths.reduce(0, +)
            let key = ObjectIdentifier(weight)
            var layer =
                layers[key]
                ?? Layer(
                    sum: Array(repeating: 0, count: width), size: Array(repeating: 0, count: width),
                    square: Array(repeating: 0, count: width),
                    name: operation.name)
            var offset = 0
            for (input, width) in zip(inputs, widths) {
                let rows = input.value.count / max(width, 1)
                let values = input.value
                for row in 0..<rows {
                    for channel in 0..<width {
                        let value = Double(values.pointer[row * width + channel])
                        layer.sum[offset + channel] += value
                        layer.size[offset + channel] += abs(value)
                        layer.square[offset + channel] += value * value
                    }
                }
                offset += width
                layer.rows += offset == layer.size.count ? rows : 0
            }
            layers[key] = layer
        }

        func means() throws -> Value {
            var value = Value()
            for (key, layer) in layers {
                let rows = Double(max(layer.rows, 1))
                guard layer.square.allSatisfy(\.isFinite) else {
                    throw EvidenceError.notFinite("what '\(layer.name)' reads")
                }
                value.layers[key] = Channels(
                    mean: layer.sum.map { $0 / rows }, meanSize: layer.size.map { $0 / rows },
                    meanSquare: layer.square.map { $0 / rows })
            }
            return value
        }
    }
}
