import Pruning
import TensorCore

/// Uniform random scores: the control that every comparison needs.
public struct RandomScores: ImportanceCriterion {
    public static let card = MethodCard(
        name: "random", family: "control", summary: "removes at random: the control every table needs",
        paper: "")
    public static let needs: [any EvidenceKind.Type] = []
    public static let scoresAreLossChanges = false

    private let seed: UInt64

    public init(_ configuration: NoConfiguration, seed: UInt64) { self.seed = seed }

    public func lossCount(of calibration: any CalibrationSource) -> Int {
        0
    }

    public func scores(at masks: Masks, from evidence: EvidenceSource) throws -> Scores {
        // Each site has a stream of its own, so that its scores do not depend on the rest of the model.
        Scores(
            masks.space,
            bySite: masks.space.widths.enumerated().map { index, width in
                var stream = RandomStream(seed: seed, purpose: .importance, index: UInt64(index))
                return (0..<width).map { _ in Double(stream.uniform()) }
            })
    }
}
