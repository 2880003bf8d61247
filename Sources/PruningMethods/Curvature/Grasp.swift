import Pruning

/// GraSP, gradient signal preservation: what a weight's removal does to the norm of the gradient.
///
///     S_i = −w_i · (H·g)_i        score_i = −S_i
///
/// with exact Hessian–vector products. A large S means that removal raises ‖g‖; those weights leave first.
///
/// Based on: Wang, Zhang & Grosse, "Picking Winning Tickets Before Training by Preserving Gradient Flow", ICLR 2020,
/// arXiv 2002.07376.
///
/// Differs from the paper: read at a trained model instead of at initialisation; H·g is exact instead of the gradient
/// of a product of two minibatches' gradients.
public struct Grasp: ImportanceCriterion {
    public static let card = MethodCard(
        name: "grasp", family: "curvature", summary: "removes the weights whose removal raises the gradient norm most",
        granularities: [.weight, .pattern], paper: "Wang, Zhang & Grosse, 2020, arXiv 2002.07376")
    public static let needs: [any EvidenceKind.Type] = [Curvature.self]
    public static let scoresAreLossChanges = true

    public init(_ configuration: NoConfiguration, seed: UInt64) {}

    public func lossCount(of calibration: any CalibrationSource) -> Int {
        2 * calibration.batchCount
    }

    public func scores(at masks: Masks, from evidence: EvidenceSource) throws -> Scores {
        let arena = evidence.arena
        let space = masks.space
        let products = space.values(of: try evidence(Curvature(), at: masks).hessianGradient, in: arena)
        return Scores(space, zip(space.values(of: arena.values, in: arena), products).map { Double($0 * $1) })
    }
}
