import Pruning
import Training

/// A method that learns by an extension of training, for the soft share of the steps, what masks follow from; then the
/// highest scores within the budget stay.
///
///     soft steps ─ update 0 ─ compact ─ other steps
protocol MaskLearner: Pruner {
    associatedtype Learning: MaskLearning
    /// One for the whole run; nil before it is asked for.
    var learning: Learning? { get set }
    func makeLearning(in context: PruningContext) -> Learning
}

extension MaskLearner {
    public static var needs: [any EvidenceKind.Type] { [] }

    public func plan(_ timing: PlanTiming) -> PruningPlan {
        let soft = timing.softSteps
        return PruningPlan(
            [.train(steps: soft), .update(0)] + timing.closing + [.train(steps: timing.steps - soft)] + timing.ending)
    }

    public mutating func extensions(in context: PruningContext) -> [any TrainingExtension] { [learning(in: context)] }

    public mutating func update(
        _ masks: inout Masks, number: Int, in context: PruningContext
    ) throws -> MaskUpdateReport {
        let learning = learning(in: context)
        let old = masks
        masks = try context.selection.masks(
            keeping: Scores(context.space, bySite: learning.scores), remaining: context.remaining)
        learning.detach()
        return context.report(from: old, to: masks)
    }

    mutating func learning(in context: PruningContext) -> Learning {
        let learning = self.learning ?? makeLearning(in: context)
        self.learning = learning
        return learning
    }
}
