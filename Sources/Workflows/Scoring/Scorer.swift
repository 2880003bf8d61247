import Pruning
import PruningMethods
import TensorCore
import Training

/// Scores of every weight, and of every channel where the criterion has such.
struct Scores {
    /// Flat, laid out as the arena.
    var weights: Tensor
    /// One a channel of each group; nil for criteria of weights only.
    var groups: [[Double]]?
    /// nil where no images were given.
    var loss: Double?
}

/// Computes one criterion at the model as it is: all masks one.
struct Scorer {
    let arena: ParameterArena
    let groups: [PrunableGroup]
    /// nil where no images were given.
    let source: (any CalibrationSource)?
    let seed: UInt64
    /// Probe vectors of `obd`.
    let probes: Int

    /// How many losses will be taken, at most: what progress is measured in.
    static func lossCount(_ criterion: ScoreCriterion, source: any CalibrationSource, probes: Int) -> Int {
        switch criterion {
        case .magnitude, .random, .taylor, .snip: source.batchCount
        case .gradientFlow: 2 * source.batchCount
        case .fisher: source.batchCount + source.sampleCount
        case .obd: (probes + 1) * source.batchCount
        case .diffPruning: source.batchCount + source.stageCount
        }
    }

    func scores(_ criterion: ScoreCriterion) throws -> Scores {
        let masks = MaskSet(keepingAllOf: groups)
        let evidence = EvidenceCollector(groups: groups, arena: arena, source: source)
        defer { MaskSet.removeGates(from: groups) }
        let w = arena.values
        var scores: Scores
        switch criterion {
        case .magnitude:
            scores = Scores(
                weights: flat { abs(w.pointer[$0]) },
                groups: try Magnitude(Magnitude.Configuration(), seed: seed).scores(masks: masks, from: evidence))
        case .random:
            scores = Scores(
                weights: random(),
                groups: try RandomScores(NoConfiguration(), seed: seed).scores(masks: masks, from: evidence))
        case .taylor:
            let gradient = try evidence.gradients(masks: masks)
            let g = gradient.weights
            scores = Scores(
                weights: flat { abs(w.pointer[$0] * g.pointer[$0]) }, groups: gradient.gates.map { $0.map(abs) },
                loss: gradient.loss)
        case .snip:
            let gradient = try evidence.gradients(masks: masks)
            let g = gradient.weights
            scores = Scores(weights: flat { abs(w.pointer[$0] * g.pointer[$0]) }, loss: gradient.loss)
        case .gradientFlow:
            let curvature = try evidence.curvature(masks: masks)
            let h = curvature.hessianGradient
            scores = Scores(
                weights: flat { -w.pointer[$0] * h.pointer[$0] }, groups: curvature.velocity,
                loss: curvature.gradient.loss)
        case .fisher:
            let squares = try evidence.meanSquaredGradients(masks: masks)
            scores = Scores(weights: flat { 0.5 * squares.pointer[$0] * w.pointer[$0] * w.pointer[$0] })
        case .obd:
            MaskSet.removeGates(from: groups)
            guard let source else { throw EvidenceError.missing(needed: .curvature, offered: evidence.offers) }
            let diagonal = try HessianDiagonal(arena: arena, source: source, probes: probes, seed: seed)
                .estimate()
            scores = Scores(weights: flat { 0.5 * diagonal.pointer[$0] * w.pointer[$0] * w.pointer[$0] })
        case .diffPruning:
            let threshold = DiffPruning.Configuration().threshold
            let sum = try evidence.stagedGradients(masks: masks) { $0 >= threshold * $1 }.sum
            let weights = flat { abs(w.pointer[$0] * sum.pointer[$0]) }
            scores = Scores(
                weights: weights,
                groups: groups.map { group in
                    group.channelSums { index in
                        let part = arena.slice(weights, index)
                        return { Double(part.pointer[$0]) }
                    }
                })
        }
        if scores.loss == nil { scores.loss = try loss() }
        guard scores.weights.allFinite else { throw TensorFileError.resultNotFinite(what: "a score") }
        return scores
    }

    /// The mean loss over the batches, nil where there are none.
    private func loss() throws -> Double? {
        guard let source else { return nil }
        MaskSet.removeGates(from: groups)
        let sum = try (0..<source.batchCount).reduce(0.0) { total, batch in
            try total + Double(Autograd.withoutRecording { try source.loss(batch: batch) }.value.scalar)
        }
        guard sum.isFinite else { throw EvidenceError.notFinite("the loss") }
        return sum / Double(source.batchCount)
    }

    private func flat(_ element: (Int) -> Float) -> Tensor {
        let result = Tensor(uninitialized: [arena.count])
        for i in 0..<arena.count { result.pointer[i] = element(i) }
        return result
    }

    /// Each tensor has a stream of its own, so that a score does not depend on the rest of the model.
    private func random() -> Tensor {
        let result = Tensor(zeros: [arena.count])
        for index in arena.parameters.indices {
            var stream = RandomStream(seed: seed, purpose: "element-importance", index: UInt64(index))
            stream.fillUniform(arena.slice(result, index).unsafeBuffer)
        }
        return result
    }
}
