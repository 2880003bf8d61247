import Pruning
import Runs

/// Tells of the losses that a stage of a pruning run takes, and stops it before the next one where that is asked for.
final class LossWatch {
    /// What is told of, and by which stretches of the timetable.
    struct Stage {
        let reporter: ProgressReporter
        let phase: String
        let place: String
        /// The first pass over the batches, and all later ones.
        let first: Int
        let later: Int
        /// Losses of the first pass.
        let passLength: Int
        /// Losses after which it is enough; nil for all of them.
        var limit: Int?
    }

    /// Ends a stage of which only the beginning was wanted.
    struct Enough: Error {}

    private let interruption: Interruption
    private var stage: Stage?
    private var count = LossCount()

    init(interruption: Interruption) { self.interruption = interruption }

    /// A loss is about to be taken.
    /// - Throws: `Interruption.Requested`, `Enough`.
    func take(_ part: ObservedCalibration.Part, of source: any CompleteCalibration) throws {
        try interruption.check()
        guard let stage else { return }
        finishLoss(stage)
        if let limit = stage.limit, count.taken >= limit { throw Enough() }
        stage.reporter.at(count.take(part, of: source, phase: stage.phase, place: stage.place))
    }

    /// Tells of the losses that `body` takes.
    func watching<Result>(_ stage: Stage, _ body: () throws -> Result) rethrows -> Result {
        self.stage = stage
        count = LossCount()
        defer { self.stage = nil }
        let result = try body()
        // What comes after the last loss, choosing among millions of weights, say, is no measure of a loss.
        if count.taken == 1 { finishLoss(stage) }
        stage.reporter.leave(stage.first)
        stage.reporter.leave(stage.later)
        return result
    }

    private func finishLoss(_ stage: Stage) {
        guard count.taken > 0 else { return }
        stage.reporter.finished(count.taken <= stage.passLength ? stage.first : stage.later)
    }
}
