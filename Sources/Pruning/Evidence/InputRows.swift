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
        var value = Value()
        try source.visitLayers(at: masks, for: Self.self, seed: seed, purpose: "layer-inputs") { call in
            var rows = value.layers[ObjectIdentifier(call.weight)] ?? Rows(width: call.width, bias: call.bias)
            for _ in 0..<rowsPerBatch {
                let place = call.stream.nextInteger(below: call.inputPlaces)
                for input in call.inputs {
                    let channels = input.shape.last ?? 1
                    for channel in 0..<channels {
                        rows.values.append(Double(input.value.pointer[place * channels + channel]))
                    }
                }
            }
            value.layers[ObjectIdentifier(call.weight)] = rows
        }
        for rows in value.layers.values where !rows.values.allSatisfy(\.isFinite) {
            throw EvidenceError.notFinite("what a layer reads")
        }
        return value
    }
}
