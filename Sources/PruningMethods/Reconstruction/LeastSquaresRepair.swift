import Layers
import Pruning

/// Gives the weights of what masks leave the values with which each layer says what it said, as nearly as they can:
///
///     w′_P = argmin Σ_s (y_s − p̂_s,P·w′)² + λ·n·‖w′ − w_P‖²        λ: a share of the mean diagonal of E[p̂ᵀp̂]
///
/// y: the layer's outputs in the whole network, p̂: what it reads in the masked one (`InputPatches`), P: what is left to
/// an output, its bias among it. Layers follow one another in the network's order, each beside what those before it
/// have become.
struct LeastSquaresRepair {
    /// λ over the mean diagonal.
    let damping: Double
    let patchesPerBatch: Int
    let seed: UInt64

    static let needs: [any EvidenceKind.Type] = [InputPatches.self]

    /// How many losses `apply` takes, at most: all layers once as they were, then each once more.
    static func lossCount(from calibration: any CalibrationSource, in space: PruningSpace) -> Int {
        calibration.batchCount * (1 + space.layersThatMayLose.count)
    }

    func patches(_ part: InputPatches.Part) -> InputPatches {
        InputPatches(part, patchesPerBatch: patchesPerBatch, seed: seed)
    }

    /// - Throws: `EvidenceError`, `LinearAlgebraError`.
    func apply(_ masks: Masks, in context: PruningContext) throws {
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

extension PruningSpace {
    /// The layers of whose inputs something may leave, in the network's order, with their numbers in the arena.
    var layersThatMayLose: [(weight: Parameter, index: Int)] {
        var layers: [Int: Parameter] = [:]
        for site in sites {
            switch site {
            case .axis(let group): for member in group.consumers { layers[member.parameterIndex] = member.parameter }
            case .weight(let weight, let index): layers[index] = weight
            }
        }
        return layers.sorted { $0.key < $1.key }.map { ($0.value, $0.key) }
    }
}
