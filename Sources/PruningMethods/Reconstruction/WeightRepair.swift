import Pruning

/// Gives the weights of what decided masks leave new values, so that layers say what they said: layer by layer, in the
/// network's order. It can follow any method's choice.
public protocol WeightRepair {
    static var needs: [any EvidenceKind.Type] { get }
    init(seed: UInt64)
    /// - Throws: `EvidenceError`, `LinearAlgebraError`.
    func apply(_ masks: Masks, in context: PruningContext) throws
}

extension WeightRepair {
    /// How many losses `apply` takes, at most.
    public static func lossCount(from calibration: any CalibrationSource, in space: PruningSpace) -> Int {
        space.lossCountOfRepair(from: calibration)
    }
}
