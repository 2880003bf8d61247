import Training

/// A pruning method: says what a run does, and turns evidence into masks in its updates.
///
/// After the last update every mask is exactly 0 or 1, and the card's promise holds.
public protocol Pruner: SendableMetatype {
    associatedtype Configuration: PrunerConfiguration
    static var card: MethodCard { get }
    /// What evidence it asks for; anything else is refused.
    static var needs: [any EvidenceKind.Type] { get }

    init(_ configuration: Configuration, seed: UInt64)
    var configuration: Configuration { get }
    /// Everything an interrupted run needs beside the masks.
    var state: PrunerState { get }
    /// Goes on from a saved state of the same configuration, in the same space.
    /// - Throws: `PrunerStateError` for a state that is not one of this method's.
    mutating func restore(_ state: PrunerState, in space: PruningSpace) throws

    /// What the run does, stage by stage.
    func plan(_ timing: PlanTiming) -> PruningPlan
    /// Changes the masks for update `number` of the plan, from 0.
    mutating func update(_ masks: inout Masks, number: Int, in context: PruningContext) throws -> MaskUpdateReport
    /// Whether its masks move after every training step before the last update, too.
    var movesWithSteps: Bool { get }
    /// Moves the masks after a training step. Channels whose mask is zero are not computed with between two updates:
    /// they come back in updates only, and no mask of a channel gets to zero here.
    ///
    /// - Parameters:
    ///   - masks: those that the step was made with; changed.
    ///   - gradients: ∂L/∂m of the step's loss, by coordinate; 0 where nothing was computed.
    ///   - progress: how many of the steps before the last update are done, 0 … 1.
    ///   - context: of the run; evidence is for updates.
    /// - Throws: `BudgetError`.
    mutating func move(
        _ masks: inout Masks, by gradients: [Float], progress: Double, in context: PruningContext) throws
    /// What it adds to every training step before the network is made smaller: the same objects at every call.
    mutating func extensions(in context: PruningContext) -> [any TrainingExtension]
    /// Whether its extensions have the masks on the network by themselves, so that training is not to put them there.
    var masksAreOnNetwork: Bool { get }
    /// How many losses a stage of its plan takes from a calibration source, at most: what progress is measured in.
    func lossCount(
        of stage: PruningPlan.Stage, from calibration: any CalibrationSource, in space: PruningSpace
    ) -> Int
    /// Repairs the weights of what the masks leave, for a plan with a `reconstruct` stage. The masks are decided.
    mutating func reconstruct(_ masks: Masks, in context: PruningContext) throws
}

extension Pruner {
    /// Methods that remember nothing.
    public var state: PrunerState { PrunerState() }
    public mutating func restore(_ state: PrunerState, in space: PruningSpace) throws {}
    public mutating func reconstruct(_ masks: Masks, in context: PruningContext) throws {}
    public mutating func extensions(in context: PruningContext) -> [any TrainingExtension] { [] }
    /// Masks that stay as they are between updates.
    public var movesWithSteps: Bool { false }
    public mutating func move(
        _ masks: inout Masks, by gradients: [Float], progress: Double, in context: PruningContext
    ) {}
    public var masksAreOnNetwork: Bool { false }
    /// One pass over the batches in each update, where evidence is asked for at all.
    public func lossCount(
        of stage: PruningPlan.Stage, from calibration: any CalibrationSource, in space: PruningSpace
    ) -> Int {
        guard case .update = stage, Self.needs.takesData else { return 0 }
        return calibration.batchCount
    }
}
