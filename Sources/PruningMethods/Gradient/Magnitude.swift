import Pruning

/// Weight magnitude.
///
///     score_k = ( Σ_{i∈k} |w_i|^p )^{1/p}, divided by the group's mean score
///
/// over every weight that leaves with channel k (producers, consumers, normalisation). The division makes groups of
/// different fan-in comparable, which raw norms are not.
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
            guard norm == 1 || norm == 2 else {
                throw PrunerConfigurationError(key: "norm", got: norm, expected: "1 or 2")
            }
        }
    }

    public static let card = MethodCard(
        name: "magnitude", family: "gradient", summary: "removes the channels with the smallest weights",
        paper: "Li et al., 2017, arXiv 1608.08710")
    public static let needs: Evidence = .weights
    public static let scoresAreLossChanges = false

    private let configuration: Configuration

    public init(_ configuration: Configuration, seed: UInt64) { self.configuration = configuration }

    public func scores(masks: MaskSet, from evidence: EvidenceCollector) throws -> [[Double]] {
        let arena = evidence.arena
        let usesSquares = configuration.norm == 2
        return evidence.groups.map { group in
            let norms = group.channelSums { index in
                let weights = arena.slice(arena.values, index)
                return usesSquares
                    ? { Double(weights.pointer[$0]) * Double(weights.pointer[$0]) }
                    : { Double(abs(weights.pointer[$0])) }
            }.map { usesSquares ? $0.squareRoot() : $0 }
            let mean = norms.reduce(0, +) / Double(max(norms.count, 1))
            return mean > 0 ? norms.map { $0 / mean } : norms
        }
    }
}
