import Layers
import LinearAlgebra
import TensorCore

/// What layers compute single outputs from, at places drawn at random: a *patch* is all input channels at all taps,
/// `[taps, in]` as the layer's weight has them, with zeros outside of the input, and a 1 behind them where there is a
/// bias.
///
///     y_s = p_s·w        w: [patch, out], the bias its last row
///
/// What is kept of the patches is what is asked for: of all layers those sums that small matrices hold, or the patches
/// of one layer, of which there may be hundreds of megabytes. Places depend on the seed, the layer and the batch alone,
/// so that patches of a masked network belong to those of the whole one.
public struct InputPatches: EvidenceKind {
    public static let name = "layer patches"

    /// What is kept.
    public enum Part: Hashable, Sendable {
        /// E[pᵀp] of all layers.
        case moments
        /// y of all layers.
        case outputs
        /// The patches of one layer, by its weight.
        case patches(of: ObjectIdentifier)
    }

    /// What is known of one layer.
    public struct Layer {
        /// Numbers in a patch.
        public let width: Int
        public let bias: Parameter?
        /// How many patches were seen.
        public fileprivate(set) var count = 0
        /// E[pᵀp], width × width; empty unless asked for.
        public fileprivate(set) var moments: [Double] = []
        /// Patch after patch, all outputs; empty unless asked for.
        public fileprivate(set) var outputs: [Double] = []
        /// Patch after patch; empty unless asked for.
        public fileprivate(set) var patches: [Float] = []
    }

    /// By the layer's weight; layers that a loss does not reach, or that were not asked for, are missing.
    public struct Value {
        fileprivate var layers: [ObjectIdentifier: Layer] = [:]

        public subscript(weight: Parameter) -> Layer? { layers[ObjectIdentifier(weight)] }
    }

    public let part: Part
    /// Patches of each layer from every calibration batch, at most: all where there are no more.
    public let patchesPerBatch: Int
    public let seed: UInt64

    public init(_ part: Part, patchesPerBatch: Int, seed: UInt64) {
        self.part = part
        self.patchesPerBatch = patchesPerBatch
        self.seed = seed
    }

    /// - Throws: `LinearAlgebraError` beside what evidence says.
    public func gather(at masks: Masks, from source: EvidenceSource) throws -> Value {
        var value = Value()
        var problem: (any Error)?
        try source.visitLayers(at: masks, for: Self.self, seed: seed, purpose: "layer-patches") { call in
            let key = ObjectIdentifier(call.weight)
            if case .patches(let wanted) = part, wanted != key { return }
            do {
                var layer = value.layers.removeValue(forKey: key) ?? Layer(width: call.patchWidth, bias: call.bias)
                try add(&call, to: &layer)
                value.layers[key] = layer
            } catch {
                problem = problem ?? error
            }
        }
        if let problem { throw problem }
        for (key, var layer) in value.layers {
            if part == .moments {
                for index in layer.moments.indices { layer.moments[index] /= Double(max(layer.count, 1)) }
                BLAS.mirrorUpperTriangle(of: &layer.moments, size: layer.width)
            }
            guard
                layer.moments.allSatisfy(\.isFinite), layer.outputs.allSatisfy(\.isFinite),
                layer.patches.allSatisfy(\.isFinite)
            else { throw EvidenceError.notFinite("what a layer reads") }
            value.layers[key] = layer
        }
        return value
    }

    private func add(_ call: inout LayerCall, to layer: inout Layer) throws {
        let places = call.outputPlaces
        let count = min(patchesPerBatch, places)
        var patches = [Float](repeating: 0, count: count * layer.width)
        for number in 0..<count {
            let place = count == places ? number : call.stream.nextInteger(below: places)
            call.copyPatch(at: place, to: &patches, from: number * layer.width)
        }
        layer.count += count
        switch part {
        case .patches: layer.patches += patches
        case .moments:
            if layer.moments.isEmpty { layer.moments = Array(repeating: 0, count: layer.width * layer.width) }
            try BLAS.addGram(
                of: patches.map(Double.init), rows: count, columns: layer.width, to: &layer.moments)
        case .outputs:
            let weights = call.weightsWithBias
            let outputs = weights.count / layer.width
            var products = [Double](repeating: 0, count: count * outputs)
            try BLAS.multiply(
                patches.map(Double.init), by: weights, rows: count, inner: layer.width, columns: outputs,
                into: &products)
            layer.outputs += products
        }
    }
}

extension LayerCall {
    fileprivate var taps: Int { window.map { $0.kernel * $0.kernel } ?? 1 }
    fileprivate var patchWidth: Int { taps * width + (bias == nil ? 0 : 1) }

    /// What is computed with, the bias its last row.
    fileprivate var weightsWithBias: [Double] {
        (weight.effective.value.array + (bias?.effective.value.array ?? [])).map(Double.init)
    }

    /// Writes the patch of one output position; `target` holds zeros there.
    fileprivate func copyPatch(at place: Int, to target: inout [Float], from start: Int) {
        let width = width
        for (tap, row) in readings(at: place) {
            var offset = start + tap * width
            for input in inputs {
                let channels = input.shape.last ?? 1
                let values = input.value
                for channel in 0..<channels { target[offset + channel] = values.pointer[row * channels + channel] }
                offset += channels
            }
        }
        if bias != nil { target[start + patchWidth - 1] = 1 }
    }
}
