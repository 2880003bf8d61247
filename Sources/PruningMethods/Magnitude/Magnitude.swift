import Files
import Pruning

/// Weight magnitude.
///
///     score_k = ( Σ_{i∈k} |w_i|^p )^{1/p}, divided by the group's mean score
///
/// over every weight that leaves with channel k (producers, consumers, normalisation). The division makes groups of
/// different fan-in comparable, which raw norms are not. Of a single weight
///
///     score_i = |w_i|
///
/// Based on: Li et al., "Pruning Filters for Efficient ConvNets", ICLR 2017, arXiv 1608.08710.
///
/// Differs from the paper: coupled weights are taken together instead of a filter's own, and groups compete with each
/// other instead of each giving up a fixed share.
public struct Magnitude: ImportanceCriterion {
    public struct Configuration: PrunerConfiguration {
        /// Order of the norm, 1 or 2.
        public var norm = 2
        public init() {}
        public func validate() throws {
            try require(norm == 1 || norm == 2, "norm", got: norm, expected: "1 or 2")
        }
    }

    public static let card = MethodCard(
        name: "magnitude", family: "magnitude", summary: "removes what has the smallest weights",
        paper: "Li et al., 2017, arXiv 1608.08710")
    public static let needs: [any EvidenceKind.Type] = []
    public static let scoresAreLossChanges = false

    private let configuration: Configuration

    public init(_ configuration: Configuration, seed: UInt64) { self.configuration = configuration }

    public func lossCount(of calibration: any CalibrationSource) -> Int {
        0
    }

    public func scores(at masks: Masks, from evidence: EvidenceSource) throws -> Scores {
        let arena = evidence.arena
        let usesSquares = configuration.norm == 2
        let powers = arena.values.copied()
        for index in 0..<powers.count {
            let value = powers.pointer[index]
            powers.pointer[index] = usesSquares ? value * value : abs(value)
        }
        return Scores(
            masks.space,
            bySite: masks.space.sites.map { site in
                switch site {
                case .axis(let group):
                    let norms = group.sums(of: powers, in: arena).map { usesSquares ? $0.squareRoot() : $0 }
                    let mean = norms.reduce(0, +) / Double(max(norms.count, 1))
                    return mean > 0 ? norms.map { $0 / mean } : norms
                case .weight(let parameter, _):
                    return parameter.variable.value.array.map { Double(abs($0)) }
                }
            })
    }
}
