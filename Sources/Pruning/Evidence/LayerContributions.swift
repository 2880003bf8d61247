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
        var value = Value()
        try source.visitLayers(at: masks, for: Self.self, seed: seed, purpose: "layer-contributions") { call in
            var samples = value.layers[ObjectIdentifier(call.weight)] ?? Samples(width: call.width)
            let weight = call.weight.effective.value
            for _ in 0..<samplesPerBatch {
                let place = call.stream.nextInteger(below: call.outputPlaces)
                let channel = call.stream.nextInteger(below: weight.shape.last ?? 1)
                samples.contributions += call.contributions(to: channel, at: place, weight)
            }
            value.layers[ObjectIdentifier(call.weight)] = samples
        }
        for samples in value.layers.values where !samples.contributions.allSatisfy(\.isFinite) {
            throw EvidenceError.notFinite("what a layer reads")
        }
        return value
    }
}

extension LayerCall {
    /// What each input channel adds to one output at one position.
    fileprivate func contributions(to output: Int, at place: Int, _ weight: Tensor) -> [Double] {
        let (width, outputs) = (width, weight.shape.last ?? 1)
        var result = [Double](repeating: 0, count: width)
        for (tap, row) in readings(at: place) {
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
        return result
    }
}
