import Files
import Foundation
import WeightFiles

/// A run's work from where it stands to its end, and what goes when it is done.
extension RunFolder {
    /// Carries out a new run, goes on with one, or finds it done and leaves it as it is.
    ///
    /// The model is written first, then `run.json` says that the run is done, then checkpoints go: a run killed at any
    /// moment in between is brought to the same end by resuming it.
    ///
    /// - Parameters:
    ///   - keepingCheckpoints: whether they stay.
    ///   - restore: takes over the state of a checkpoint.
    ///   - work: does what is left and writes the model; it looks at the context's interruption.
    /// - Throws: as `resume` and `work` do; `Failure.cannotGrow`.
    package func carryOut(
        in context: RunContext, keepingCheckpoints: Bool, restore: (Checkpoint) throws -> Void, work: () throws -> Void
    ) throws {
        if context.isResuming {
            if try isDone(warning: context.warning) {
                if !keepingCheckpoints { try checkpoints.removeAll() }
                return
            }
            try resume(warning: context.warning, restore: restore)
        }
        try context.interruption.heeded(work)
        try recordEnd()
        if !keepingCheckpoints { try checkpoints.removeAll() }
    }
}
