import Files
import Layers
import Pruning
import TensorCore

/// Optimal Brain Surgeon: what leaves is what a layer can best do without once its other weights have made up for it;
/// then they do.
///
///     L(w + δ) − L(w) ≈ ½·Σ_o ω_o·δ_oᵀ·H·δ_o      H = E[pᵀp] + λI,   p: what the layer reads (`InputPatches`)
///     w*_P = (H_PP)⁻¹·(H·w)_P                     the other weights once only P is left: w_P + H_PP⁻¹·H_PM·w_M
///     score_S = ½·Σ_o ω_o·w*_Sᵀ·([H_PP⁻¹]_SS)⁻¹·w*_S
///
/// for every output o of a layer, δ_o being its row. Of single weights S is one and P may differ from row to row:
/// ½·ω_o·w*_q²/[H_PP⁻¹]_qq. Of channels S is all taps of an input channel, P is the same for all rows, and the scores
/// of all layers that read an axis are added up. ω_o = Σ_p F_po / tr E[pᵀp] makes of a layer's error the loss's: with
/// it the trace of each row's curvature is that of its Fisher information (`FisherDiagonal`).
///
/// What leaves is chosen in chunks, scores being read anew with what is left of H; at the end every layer's weights are
/// updated at once (`LeastSquaresRepair`): exactly to w*_P where a layer reads what it read before.
///
/// Derivation: the minimum of ½δᵀHδ under w_M + δ_M = 0 has (H·δ)_P = 0, hence H_PP·w*_P = H_PP·w_P + H_PM·w_M, and
/// removing S of P from there on costs ½·w*_Sᵀ·(H_PP⁻¹)_SS⁻¹·w*_S more, by the formula of the block inverse. Steps of
/// it lead where one step to the same P leads.
///
/// Based on: Hassibi & Stork, "Second order derivatives for network pruning: Optimal Brain Surgeon", NeurIPS 1992;
/// layers by themselves as in Dong, Chen & Pan, "Learning to Prune Deep Neural Networks via Layer-wise Optimal Brain
/// Surgeon", NeurIPS 2017, arXiv 1705.07565; groups of columns as in Kurtić, Frantar & Alistarh, "ZipLM", NeurIPS 2023,
/// arXiv 2302.04089.
///
/// Differs from the papers: rows are weighed by the Fisher information, so that layers are ranked together by the loss;
/// a chunk's members are chosen together; the update counts what masks change of a layer's inputs. Weights that no
/// calibration loss reaches score ½·F·w².
public struct OptimalBrainSurgeon: Pruner {
    public struct Configuration: PrunerConfiguration {
        /// Chunks in which what leaves is chosen.
        public var chunks = 4
        /// How the density falls over the chunks.
        public var schedule = MaskSchedule.cubic
        /// Whether the weights that are left make up for those that left.
        public var reconstruct = true
        public var criterion = SurgeonCriterion.Configuration()

        public init() {}

        public func validate() throws {
            try require((1...10_000).contains(chunks), "chunks", got: chunks, expected: "1...10000")
            try SettingError.within("criterion", criterion.validate)
        }
    }

    public static let card = MethodCard(
        name: "obs", family: "curvature",
        summary: "removes what layers can best do without once their other weights make up for it, which they then do",
        granularities: SurgeonCriterion.card.granularities, paper: SurgeonCriterion.card.paper)
    public static let needs = SurgeonCriterion.needs

    public let configuration: Configuration
    private let criterion: SurgeonCriterion

    public init(_ configuration: Configuration, seed: UInt64) {
        self.configuration = configuration
        criterion = SurgeonCriterion(configuration.criterion, seed: seed)
    }

    public func plan(_ timing: PlanTiming) -> PruningPlan {
        .updates(1, timing, repairs: configuration.reconstruct)
    }

    public func lossCount(
        of stage: PruningPlan.Stage, from calibration: any CalibrationSource, in space: PruningSpace
    ) -> Int {
        switch stage {
        case .update: criterion.lossCount(of: calibration)
        case .reconstruct: space.lossCountOfRepair(from: calibration)
        default: 0
        }
    }

    public mutating func update(
        _ masks: inout Masks, number: Int, in context: PruningContext
    ) throws -> MaskUpdateReport {
        let old = masks
        for chunk in 1...configuration.chunks {
            let progress = Double(chunk) / Double(configuration.chunks)
            let density = configuration.schedule.density(at: progress, final: context.remaining)
            _ = try context.removeLowest(&masks, by: criterion, density: density)
        }
        return context.report(from: old, to: masks)
    }

    public mutating func reconstruct(_ masks: Masks, in context: PruningContext) throws {
        try criterion.repair.apply(masks, in: context)
    }
}

/// What a layer can best do without: the scores of `OptimalBrainSurgeon`.
public struct SurgeonCriterion: ImportanceCriterion {
    public struct Configuration: PrunerConfiguration {
        /// λ over the mean diagonal of E[pᵀp].
        public var damping = LeastSquaresRepair.usualDamping
        /// Patches of each layer from every calibration batch.
        public var patchesPerBatch = LeastSquaresRepair.usualPatchesPerBatch

        public init() {}

        public func validate() throws {
            try require(damping > 0 && damping <= 10, "damping", got: damping, expected: "in (0, 10]")
            try require(
                (1...100_000).contains(patchesPerBatch), "patches_per_batch", got: patchesPerBatch,
                expected: "1...100000")
        }
    }

    public static let card = MethodCard(
        name: "obs", family: "curvature", summary: "what layers can best do without once the rest makes up for it",
        granularities: [.channel, .block, .head, .aligned, .regular, .level, .weight, .pattern],
        paper: "Hassibi & Stork, 1992")
    public static let needs: [any EvidenceKind.Type] = [InputPatches.self, FisherDiagonal.self]
    public static let scoresAreLossChanges = true

    private let configuration: Configuration
    private let seed: UInt64

    public init(_ configuration: Configuration, seed: UInt64) {
        self.configuration = configuration
        self.seed = seed
    }

    /// What follows the choice, from the same patches.
    var repair: LeastSquaresRepair {
        LeastSquaresRepair(
            damping: configuration.damping, patchesPerBatch: configuration.patchesPerBatch, seed: seed)
    }

    public func lossCount(of calibration: any CalibrationSource) -> Int {
        calibration.batchCount + ((calibration as? any PerSampleCalibration)?.sampleCount ?? 0)
    }

    public func scores(at masks: Masks, from evidence: EvidenceSource) throws -> Scores {
        // Read at the whole network once: the chunks' masks choose the part of it that counts.
        let whole = Masks(masks.space)
        let fisher = try evidence(FisherDiagonal(), at: whole)
        let moments = try evidence(repair.patches(.moments), at: whole)
        let space = masks.space
        var scores = Scores(space, Array(repeating: 0, count: space.count))
        for (weight, index) in space.layersThatMayLose {
            let information = evidence.arena.slice(fisher, index).array
            guard let layer = moments[weight] else {
                if let site = space.sites.firstIndex(where: { $0.isWeight(weight) }) {
                    scores[site] = zip(weight.variable.value.array, information).map { Double(0.5 * $1 * $0 * $0) }
                }
                continue
            }
            let problem = try LayerSurgery(
                layer, weight: weight, information: information, damping: configuration.damping)
            let left = PatchMask(weight, masks)
            switch space.kind {
            case .weights:
                guard let site = space.sites.firstIndex(where: { $0.isWeight(weight) }) else { continue }
                scores[site] = try problem.weightScores(left)
            case .channels:
                let readers = space.groups.indices.compactMap { site in
                    AxisReader.all(of: space.groups[site]).first { $0.weight === weight }.map { (site, $0) }
                }
                let errors = try problem.scores(ofChannels: readers.flatMap(\.1.channels), left)
                let coordinates = readers.flatMap { Array(space.ranges[$0.0]) }
                for (coordinate, error) in zip(coordinates, errors) { scores.values[coordinate] += error }
            }
        }
        return scores
    }
}
