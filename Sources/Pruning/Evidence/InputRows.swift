import Layers
import TensorCore

/// What layers read at places drawn at random: all input channels of a position, row after row.
///
/// Places depend on the seed, the layer and the batch alone, so that rows of a masked network belong to those of the
/// whole one.
public struct InputRows: EvidenceKind {
    public static let name = "layer inputs"

    /// The rows of one layer.
    public struct Rows {
        /// Input channels, in the order in which the layer's weight has them.
        public let width: Int
        /// The layer's bias.
        public let bias: Parameter?
        /// Row after row, `width` values each.
        public fileprivate(set) var values: [Double] = []

        public var count: Int { values.count / max(width, 1) }
    }

    /// By the layer's weight; layers that a loss does not reach are missing.
    public struct Value {
        fileprivate var layers: [ObjectIdentifier: Rows] = [:]

        public subscript(weight: Parameter) -> Rows? { layers[ObjectIdentifier(weight)] }
    }

    /// Rows of each layer from every calibration batch.
    public let rowsPerBatch: Int
    public let seed: UInt64

    public init(rowsPerBatch: Int, seed: UInt64) {
        self.rowsPerBatch = rowsPerBatch
        self.seed = seed
    }

    public func gather(at masks: Masks, from source: EvidenceSource) throws -> Value {
        let calibration: any CalibrationSource = try source.calibration(for: Self.self)
        let reader = Reader(kind: self)
        try masks.applied {
            try reader.observing {
                for batch in 0..<calibration.batchCount {
                    reader.begin(batch: batch)
                    _ = try Autograd.withoutRecording { try calibration.loss(batch: batch) }
                }
            }
        }
        for rows in reader.value.layers.values where !rows.values.allSatisfy(\.isFinite) {
            throw EvidenceError.notFinite("what a layer reads")
        }
        return reader.value
    }

    private final class Reader: OperationObserver {
        private let kind: InputRows
        private var batch = 0
        /// Layers seen in this batch.
        private var layer = 0
        private(set) var value = Value()

        init(kind: InputRows) { self.kind = kind }

        func begin(batch: Int) {
            self.batch = batch
            layer = 0
        }

        func ran(_ operation: LayerOperation, inputs: [Variable], parameters: [Parameter], output: Variable) {
            guard let weight = parameters.first, weight.isMaskable, let first = inputs.first else { return }
            defer { layer += 1 }
            var stream = RandomStream(
                seed: kind.seed, purpose: "layer-inputs", index: UInt64(batch) << 20 | UInt64(layer))
            let width = inputs.reduce(0) { $0 + ($1.shape.last ?? 1) }
            var rows =
                value.layers[ObjectIdentifier(weight)]
                ?? Rows(width: width, bias: parameters.count > 1 ? parameters[1] : nil)
            let places = first.value.count / max(first.shape.last ?? 1, 1)
            for _ in 0..<kind.rowsPerBatch {
                let place = stream.nextInteger(below: places)
                for input in inputs {
                    let channels = input.shape.last ?? 1
                    for channel in 0..<channels {
                        rows.values.append(Double(input.value.pointer[place * channels + channel]))
                    }
                }
            }
            value.layers[ObjectIdentifier(weight)] = rows
        }
    }
}
