import Layers
import TensorCore

/// One convolution or linear layer at work on a calibration batch.
struct LayerCall {
    let weight: Parameter
    let bias: Parameter?
    /// Of a convolution; nil of a linear layer.
    let window: LayerOperation.Window?
    /// `[B, H, W, C]` or `[…, C]`; several where the layer reads the concatenation of them.
    let inputs: [Variable]
    let output: Variable
    /// Depends on the seed, the purpose, the batch and the layer's number within it alone, so that what is drawn of a
    /// masked network belongs to what is drawn of the whole one.
    var stream: RandomStream

    /// Channels of all inputs.
    var width: Int { inputs.reduce(0) { $0 + ($1.shape.last ?? 1) } }
    /// Positions of the inputs.
    var inputPlaces: Int { inputs[0].value.count / max(inputs[0].shape.last ?? 1, 1) }
    /// Positions of the output.
    var outputPlaces: Int { output.value.count / max(output.shape.last ?? 1, 1) }

    /// The taps through which an output position is computed, with the position of the inputs that each reads: those
    /// outside of the input are missing.
    func readings(at place: Int) -> [(tap: Int, row: Int)] {
        let (inputShape, outputShape) = (inputs[0].shape, output.shape)
        guard let window, inputShape.count == 4, outputShape.count == 4 else { return [(0, place)] }
        let (height, breadth) = (inputShape[1], inputShape[2])
        let (outHeight, outBreadth) = (outputShape[1], outputShape[2])
        let (sample, y, x) = (place / (outHeight * outBreadth), place / outBreadth % outHeight, place % outBreadth)
        var readings: [(tap: Int, row: Int)] = []
        for row in 0..<window.kernel {
            for column in 0..<window.kernel {
                let fromY = y * window.stride + row - window.padding.top
                let fromX = x * window.stride + column - window.padding.left
                guard (0..<height).contains(fromY), (0..<breadth).contains(fromX) else { continue }
                readings.append((row * window.kernel + column, (sample * height + fromY) * breadth + fromX))
            }
        }
        return readings
    }
}

extension EvidenceSource {
    /// Takes the loss of every calibration batch with `masks` on the network, and shows the layers that read channels
    /// at work: those whose weights can be masked.
    ///
    /// - Parameters:
    ///   - masks: what is on the network.
    ///   - kind: who asks.
    ///   - seed: of the streams.
    ///   - purpose: of the streams.
    ///   - visit: is shown each layer at each batch, in the order in which they run.
    func visitLayers(
        at masks: Masks, for kind: any EvidenceKind.Type, seed: UInt64, purpose: RandomPurpose,
        _ visit: @escaping (inout LayerCall) -> Void
    ) throws {
        let calibration: any CalibrationSource = try calibration(for: kind)
        let visitor = LayerVisitor(seed: seed, purpose: purpose, visit)
        try masks.applied {
            try visitor.observing {
                for batch in 0..<calibration.batchCount {
                    visitor.begin(batch: batch)
                    _ = try Autograd.withoutRecording { try calibration.loss(batch: batch) }
                }
            }
        }
    }
}

private final class LayerVisitor: OperationObserver {
    private let seed: UInt64
    private let purpose: RandomPurpose
    private let visit: (inout LayerCall) -> Void
    private var batch = 0
    /// Layers seen in this batch.
    private var layer = 0

    init(seed: UInt64, purpose: RandomPurpose, _ visit: @escaping (inout LayerCall) -> Void) {
        self.seed = seed
        self.purpose = purpose
        self.visit = visit
    }

    func begin(batch: Int) {
        self.batch = batch
        layer = 0
    }

    func ran(_ operation: LayerOperation, inputs: [Variable], parameters: [Parameter], output: Variable) {
        guard let weight = parameters.first, weight.isMaskable, !inputs.isEmpty else { return }
        defer { layer += 1 }
        var call = LayerCall(
            weight: weight, bias: parameters.count > 1 ? parameters[1] : nil, window: operation.window, inputs: inputs,
            output: output,
            stream: RandomStream(seed: seed, purpose: purpose, index: UInt64(batch) << 20 | UInt64(layer)))
        visit(&call)
    }
}
