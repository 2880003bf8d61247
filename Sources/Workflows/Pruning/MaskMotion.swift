import Training

/// Masks that move after every training step. It remembers nothing: the masks are the run's, and what moves them is
/// the method's.
final class MaskMotion: TrainingExtension {
    let name = "mask-motion"
    private let move: (_ step: Int) throws -> Void
    /// What moving threw after the last step.
    private var failure: (any Error)?

    /// - Parameter move: called after each update of the weights, with the number of the step from 0.
    init(_ move: @escaping (_ step: Int) throws -> Void) { self.move = move }

    func prepare(step: Int) throws { try check() }

    /// Throws what moving threw after the last step.
    func check() throws { if let failure { throw failure } }

    func afterUpdate(step: Int, optimizer: Optimizer) {
        do { try move(step) } catch { failure = error }
    }
}
