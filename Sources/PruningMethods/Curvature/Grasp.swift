import Pruning

/// GraSP, gradient signal preservation: what a weight's removal does to the norm of the gradient.
///
///     S_k = −Σ_{i∈k} w_i · (H·g)_i        score_k = −S_k
///
/// with exact Hessian–vector products; k: a single weight, or all weights on a channel, whose sum is signed. A large S
/// means that removal raises ‖g‖; those leave first.
///
/// Based on: Wang, Zhang & Grosse, "Picking Winning Tickets Before Training by Preserving Gradient Flow", ICLR 2020,
/// arXiv 2002.07376.
///
/// Differs from the paper: channels too; read at a trained model instead of at initialisation; H·g is exact instead of
/// the gradient of a product of two minibatches' gradients.
public struct Grasp: ImportanceCriterion {
    public static let card = MethodCard(
        name: "grasp", family: "curvature", summary: "removes what raises the gradient norm most by leaving",
        granularities: [.weight, .pattern] + Granularity.Name.all(in: .channels),
        paper: "Wang, Zhang & Grosse, 2020, arXiv 2002.07376")
    public static let needs: [any EvidenceKind.Type] = [Curvature.self]
    public static let scoresAreLossChanges = true

    public init(_ configuration: NoConfiguration, seed: UInt64) {}

    public func lossCount(of calibration: any CalibrationSource) -> Int {
        2 * calibration.batchCount
    }

    public func scores(at masks: Masks, from evidence: EvidenceSource) throws -> Scores {
        let products = try evidence(Curvature(), at: masks).hessianGradient
        let scores = evidence.arena.values.copied()
        for index in 0..<scores.count { scores.pointer[index] *= products.pointer[index] }
        return Scores(masks.space, bySite: masks.space.shares(of: scores, in: evidence.arena))
    }
}
