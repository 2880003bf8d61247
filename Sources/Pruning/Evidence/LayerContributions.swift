import Layers
import TensorCore

/// What each input channel of a layer adds to its outputs, at places drawn at random.
///
///     x̂_sj = Σ_taps w[tap, j, o_s] · x[place_s + tap, j]        y_s = Σ_j x̂_sj  (the output before its bias)
///
/// for every convolution and linear layer. Places and outputs depend on the seed, the layer and the batch alone, so
/// that samples of a masked network belong to those of the whole one.
public struct LayerContributions: EvidenceKind {
    public static let name = "layer contributions"

    /// The samples of one layer.
    public struct Samples {
        /// Input channels.
        public let width: Int
        /// x̂, sample after sample, `width` values each.
        public fileprivate(set) var contributions: [Double] = []

        public var count: Int { contributions.count / max(width, 1) }

        /// y: the sum over the channels of each sample.
        public var outputs: [Double] {
            (0..<count).map { contributions[$0 * width..<($0 + 1) * width].reduce(0, +) }
        }
    }

    /// By the layer's weight; layers that a loss does not reach are missing.
    public struct Value {
        fileprivate var layers: [ObjectIdentifier: Samples] = [:]

        public subscript(weight: Parameter) -> Samples? { layers[ObjectIdentifier(weight)] }
    }

    /// Samples of each layer from every calibration batch.
    public let samplesPerBatch: Int
    public let seed: UInt64

    public init(samplesPerBatch: Int, seed: UInt64) {
        self.samplesPerBatch = samplesPerBatch
        self.seed = seed
    }

    public func gather(at masks: Masks, from source: EvidenceSource) throws -> Value {
        let calibration: any CalibrationSource = try source.calibration(for: Self.self)
        let sampler = Reader(kind: self)
        try masks.applied {
            try sampler.observing {
                for batch in 0..<calibration.batchCount {
                    sampler.begin(batch: batch)
                    _ = try Autograd.withoutRecording { try calibration.loss(batch: batch) }
                }
            }
        }
        for samples in sampler.value.layers.values where !samples.contributions.allSatisfy(\.isFinite) {
            throw EvidenceError.notFinite("what a layer reads")
        }
        return sampler.value
    }

    private final class Reader: OperationObserver {
        private let kind: LayerContributions
        private var batch = 0
        /// Layers seen in this batch.
        private var layer = 0
        private(set) var value = Value()

        init(kind: LayerContributions) { self.kind = kind }

        func begin(batch: Int) {
            self.batch = batch
            layer = 0
        }

        func ran(_ operation: LayerOperation, inputs: [Variable], parameters: [Parameter], output: Variable) {
            guard let weight = parameters.first, weight.isMaskable else { return }
            defer { layer += 1 }
            var stream = RandomStream(
                seed: kind.seed, purpose: "layer-contributions", index: UInt64(batch) << 20 | UInt64(layer))
            let width = inputs.reduce(0) { $0 + ($1.shape.last ?? 1) }
            var samples = value.layers[ObjectIdentifier(weight)] ?? Samples(width: width)
            let values = weight.effective.value
            let outputs = values.shape.last ?? 1
            let places = output.value.count / max(outputs, 1)
            for _ in 0..<kind.samplesPerBatch {
                let place = stream.nextInteger(below: places)
                let channel = stream.nextInteger(below: outputs)
                samples.contributions += Self.contributions(
                    to: channel, at: place, operation, inputs, values, output.shape)
            }
            value.layers[ObjectIdentifier(weight)] = samples
        }

        private static func contributions(
            to output: Int, at place: Int, _ operation: LayerOperation, _ inputs: [Variable], _ weight: Tensor,
            _ outputShape: [Int]
        ) -> [Double] {
            let outputs = weight.shape.last ?? 1
            let width = inputs.reduce(0) { $0 + ($1.shape.last ?? 1) }
            var result = [Double](repeating: 0, count: width)
            /// Adds what the inputs at one row of the flattened input contribute through one tap.
            func add(row: Int, tap: Int) {
                var offset = 0
                for input in inputs {
                    let channels = input.shape.last ?? 1
                    let values = input.value
                    for channel in 0..<channels {
                        let weight = weight.pointer[(tap * width + offset + channel) * outputs + output]
                        result[offset + channel] += Double(weight) * Double(values.pointer[row * channels + channel])
                    }
                    offset += channels
                }
            }
            guard let window = operation.window, inputs[0].shape.count == 4, outputShape.count == 4 else {
                add(row: place, tap: 0)
                return result
            }
            let (height, breadth) = (inputs[0].shape[1], inputs[0].shape[2])
            let (outHeight, outBreadth) = (outputShape[1], outputShape[2])
            let (sample, y, x) = (
                place / (outHeight * outBreadth), place / outBreadth % outHeight, place % outBreadth
            )
            for row in 0..<window.kernel {
                for column in 0..<window.kernel {
                    let fromY = y * window.stride + row - window.padding.top
                    let fromX = x * window.stride + column - window.padding.left
                    guard (0..<height).contains(fromY), (0..<breadth).contains(fromX) else { continue }
                    add(row: (sample * height + fromY) * breadth + fromX, tap: row * window.kernel + column)
                }
            }
            return result
        }
    }
}
