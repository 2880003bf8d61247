/// Which steps are made on one of two sources of batches: so many of every stretch, evenly.
struct StepShare: Equatable, Sendable {
    /// In 0...1.
    let share: Double

    /// How many of the steps before `step` are: ⌊step·share⌋.
    func count(before step: Int) -> Int { Int((Double(step) * share).rounded(.down)) }

    func contains(_ step: Int) -> Bool { count(before: step + 1) > count(before: step) }
}
