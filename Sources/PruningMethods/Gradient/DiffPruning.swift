import Files
import Pruning

/// Diff-Pruning: Taylor importance over the timesteps that still matter.
///
///     score_k = Σ_{i∈k} | θ_i · (Σ_t α_t ∇L_t)_i |        score_i = | θ_i · (Σ_t α_t ∇L_t)_i |  of a single weight
///
/// with one batch and one fixed noise for all t; α_t = 1 while L_t ≥ T·max(L_0…L_t) going up from t = 0, then 0: late
/// timesteps, whose loss is small, carry noise rather than content.
///
/// Based on: Fang, Ma & Wang, "Structural Pruning for Diffusion Models", NeurIPS 2023, arXiv 2305.10924.
///
/// Differs from the paper: the sum over a coupled slice is that of their first released script, Σ|w·∂w| (their second
/// adds (w·∂w)² instead); all groups are ranked together under the budget instead of one ratio a layer.
public struct DiffPruning: ImportanceCriterion {
    public struct Configuration: PrunerConfiguration {
        /// T: the loss relative to its largest value below which later timesteps are ignored; 0 uses all.
        public var threshold = 0.05
        public init() {}
        public func validate() throws {
            try require((0..<1).contains(threshold), "threshold", got: threshold, expected: "in [0, 1)")
        }
    }

    public static let card = MethodCard(
        name: "diff-pruning", family: "gradient",
        summary: "Taylor importance summed over the timesteps whose loss still matters",
        paper: "Fang, Ma & Wang, 2023, arXiv 2305.10924")
    public static let needs: [any EvidenceKind.Type] = [StagedGradients.self]
    public static let scoresAreLossChanges = true

    private let configuration: Configuration

    public init(_ configuration: Configuration, seed: UInt64) { self.configuration = configuration }

    public func lossCount(of calibration: any CalibrationSource) -> Int {
        (calibration as? any StagedCalibration)?.stageCount ?? 0
    }

    public func scores(at masks: Masks, from evidence: EvidenceSource) throws -> Scores {
        let arena = evidence.arena
        let products = try evidence(StagedGradients(threshold: configuration.threshold), at: masks).sum.copied()
        for index in 0..<products.count {
            products.pointer[index] = abs(products.pointer[index] * arena.values.pointer[index])
        }
        return Scores(
            masks.space,
            bySite: masks.space.sites.map { site in
                switch site {
                case .axis(let group): group.sums(of: products, in: arena)
                case .weight(_, let index): arena.slice(products, index).array.map(Double.init)
                }
            })
    }
}
