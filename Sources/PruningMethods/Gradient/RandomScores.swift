import Pruning
import TensorCore

/// Uniform random scores: the control that every comparison needs.
public struct RandomScores: ImportanceCriterion {
    public static let card = MethodCard(
        name: "random", family: "gradient", summary: "removes channels at random: the control every table needs",
        paper: "")
    public static let needs: Evidence = .weights
    public static let scoresAreLossChanges = false

    private let seed: UInt64

    public init(_ configuration: NoConfiguration, seed: UInt64) { self.seed = seed }

    public func scores(masks: MaskSet, from evidence: EvidenceCollector) throws -> [[Double]] {
        evidence.groups.enumerated().map { index, group in
            var stream = RandomStream(seed: seed, purpose: .importance, index: UInt64(index))
            return (0..<group.width).map { _ in Double(stream.uniform()) }
        }
    }
}
