import Foundation

/// The soft steps of a run, divided into epochs of pruning, which come first, and epochs of regrowth.
struct PressureEpochs {
    /// E; at least 1 where there are steps.
    let pruning: Int
    let regrowth: Int
    /// The step that each epoch ends before; ascending.
    private let ends: [Int]

    /// Epochs of both stages.
    var count: Int { ends.count }

    /// As many epochs as are asked for, or where there are fewer steps than that one a step, in the same proportion.
    ///
    /// - Parameters:
    ///   - steps: at least 0.
    ///   - pruning: at least 1.
    ///   - regrowth: at least 0.
    init(steps: Int, pruning: Int, regrowth: Int) {
        let count = min(steps, pruning + regrowth)
        let share = Double(pruning) / Double(pruning + regrowth)
        self.pruning = min(count, max(1, Int((Double(count) * share).rounded())))
        self.regrowth = count - self.pruning
        ends = (0..<count).map { ($0 + 1) * steps / count }
    }

    /// Steps of each epoch, in order.
    var lengths: [Int] { zip(ends, [0] + ends).map { $0 - $1 } }

    /// Mean steps of an epoch; 1 where there are none.
    var meanLength: Double { Double(ends.last ?? 1) / Double(max(count, 1)) }

    /// The number of the epoch, from 1, that `step` (from 0) belongs to; beyond the last one for later steps.
    func epoch(at step: Int) -> Int { (ends.firstIndex { step < $0 } ?? count) + 1 }
}
