import Layers
import Pruning

/// Gives the weights of what masks leave the values with which each layer says what it said, as nearly as they can:
///
///     w′_P = argmin Σ_s (y_s − p̂_s,P·w′)² + λ·n·‖w′ − w_P‖²        λ: a share of the mean diagonal of E[p̂ᵀp̂]
///
/// y: the layer's outputs in the whole network, p̂: what it reads in the masked one (`InputPatches`), P: what is left
/// to an output, its bias among it. Layers follow one another in the network's order, each beside what those before it
/// have become.
///
/// It is the update of Optimal Brain Surgeon, of many weights at once (Hassibi & Stork, 1992), and the reconstruction
/// of channel pruning by feature maps (He, Zhang & Sun, ICCV 2017, arXiv 1707.06168) with every tap by itself; of
/// single weights each output has a problem of its own.
public struct LeastSquaresRepair: WeightRepair {
    /// λ over the mean diagonal.
    let damping: Double
    let patchesPerBatch: Int
    let seed: UInt64

    public static let needs: [any EvidenceKind.Type] = [InputPatches.self]

    static let usualDamping = 0.01
    static let usualPatchesPerBatch = 128

    init(damping: Double, patchesPerBatch: Int, seed: UInt64) {
        (self.damping, self.patchesPerBatch, self.seed) = (damping, patchesPerBatch, seed)
    }

    /// λ of 10⁻² of the mean diagonal, 128 patches of each layer from every calibration batch.
    public init(seed: UInt64) {
        self.init(damping: Self.usualDamping, patchesPerBatch: Self.usualPatchesPerBatch, seed: seed)
    }

    func patches(_ part: InputPatches.Part) -> InputPatches {
        InputPatches(part, patchesPerBatch: patchesPerBatch, seed: seed)
    }

    public func apply(_ masks: Masks, in context: PruningContext) throws {
        let targets = try context.evidence(patches(.outputs), at: Masks(context.space))
        for layer in context.space.layersThatMayLose {
            let left = PatchMask(layer.weight, masks)
            guard left.isCut, let target = targets[layer.weight] else { continue }
            let kind = patches(.patches(of: ObjectIdentifier(layer.weight)))
            guard let read = try context.evidence(kind, at: masks)[layer.weight], read.count == target.count else {
                continue
            }
            try LayerUpdate(read, outputs: target.outputs, damping: damping).apply(to: layer.weight, left)
            context.evidence.weightsChanged()
        }
    }
}
