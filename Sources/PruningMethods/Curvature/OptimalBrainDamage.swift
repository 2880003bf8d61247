import Files
import Pruning

/// Optimal Brain Damage: what the loss changes by, to second order with the diagonal of the Hessian, at a minimum.
///
///     score_k = ½ · Σ_{i∈k} H_ii · w_i²
///
/// k: a single weight, or all weights on a channel. The diagonal is estimated by `HessianDiagonal` from exact
/// Hessian–vector products.
///
/// Based on: LeCun, Denker & Solla, "Optimal Brain Damage", NeurIPS 1989.
///
/// Differs from the paper: the diagonal is that of the whole Hessian, estimated without bias, instead of that of its
/// Gauss–Newton part, back-propagated.
public struct OptimalBrainDamage: ImportanceCriterion {
    public struct Configuration: PrunerConfiguration {
        /// Probe vectors of the diagonal's estimate; its error falls as 1/√probes.
        public var probes = 64
        public init() {}
        public func validate() throws {
            try require((1...1_000_000).contains(probes), "probes", got: probes, expected: "1...1000000")
        }
    }

    public static let card = MethodCard(
        name: "obd", family: "curvature", summary: "removes what has the smallest curvature times weights squared",
        granularities: [.weight, .pattern] + Granularity.Name.all(in: .channels),
        paper: "LeCun, Denker & Solla, 1989")
    public static let needs: [any EvidenceKind.Type] = [HessianDiagonal.self]
    public static let scoresAreLossChanges = true

    private let configuration: Configuration
    private let seed: UInt64

    public init(_ configuration: Configuration, seed: UInt64) {
        self.configuration = configuration
        self.seed = seed
    }

    public func lossCount(of calibration: any CalibrationSource) -> Int {
        configuration.probes * calibration.batchCount
    }

    public func scores(at masks: Masks, from evidence: EvidenceSource) throws -> Scores {
        let diagonal = try evidence(HessianDiagonal(probes: configuration.probes, seed: seed), at: masks)
        let scores = evidence.arena.values.copied()
        for index in 0..<scores.count {
            scores.pointer[index] = 0.5 * diagonal.pointer[index] * scores.pointer[index] * scores.pointer[index]
        }
        return Scores(masks.space, bySite: masks.space.shares(of: scores, in: evidence.arena))
    }
}
