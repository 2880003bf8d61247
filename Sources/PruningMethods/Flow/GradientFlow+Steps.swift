import Foundation
import Pruning

/// The flow `continuous`, between rounds.
extension GradientFlow {
    /// Masks of channels stay above this until the next round: what is computed with between rounds is the same.
    private static var least: Float { 0.02 }

    public var movesWithSteps: Bool { configuration.flow == .continuous }

    /// Chooses anew by what was just read, and takes away for good what hardly counts any more.
    mutating func beginRound(_ round: Round, _ masks: inout Masks, in context: PruningContext) throws {
        let progress = Double(round.number) / Double(max(configuration.rounds - 1, 1))
        try choose(
            at: masks, density: round.isLast ? context.remaining : density(at: progress, in: context), in: context)
        masks = masks.moved(to: Masks(context.space, choice), by: round.isLast ? 1 : shareOfStep(in: context))
        (training, stepsOfRound) = ([], 0)
    }

    public mutating func move(
        _ masks: inout Masks, by gradients: [Float], progress: Double, in context: PruningContext
    ) throws {
        if training.isEmpty { training = Array(repeating: 0, count: context.space.count) }
        for index in training.indices { training[index] += abs(gradients[index]) }
        stepsOfRound += 1
        if stepsOfRound % configuration.chooseEvery == 0 {
            try choose(at: masks, density: density(at: progress, in: context), in: context)
        }
        let share = shareOfStep(in: context)
        let isOfChannels = context.space.kind == .channels
        for (index, target) in choice.enumerated() {
            let mask = masks.values[index]
            // What is at zero is not computed with, and has no gradient.
            if isOfChannels && mask == 0 { continue }
            let moved = mask + (target - mask) * share
            if abs(moved - 1) < Self.reach, target == 1 {
                masks.values[index] = 1
            } else if isOfChannels {
                masks.values[index] = max(moved, min(mask, Self.least))
            } else {
                masks.values[index] = moved < Self.reach && target == 0 ? 0 : moved
            }
        }
    }

    /// Chooses what masks go to.
    private mutating func choose(at masks: Masks, density: Double, in context: PruningContext) throws {
        choice = try context.selection.masks(
            keeping: Scores(context.space, priorities(at: masks)), remaining: density, perCost: true,
            members: flowSpace(in: context).members, at: masks
        ).values
    }

    /// What rounds read, mixed with what training steps said since.
    private func priorities(at masks: Masks) -> [Double] {
        let read = Self.normalized(velocity.map(Double.init))
        let share = configuration.trainingShare
        guard !training.isEmpty, share > 0 else { return read }
        // Brought to the size of what was read of the same coordinates: those that had no part in the steps are apart.
        let live = training.indices.filter { masks.values[$0] > 0 || training[$0] > 0 }
        func size(_ value: (Int) -> Double) -> Double { live.reduce(0) { $0 + value($1) * value($1) } }
        let (own, other) = (size { Double(training[$0]) }, size { read[$0] })
        guard own > 0 else { return read }
        let factor = (other / own).squareRoot()
        var result = read
        for index in live { result[index] = (1 - share) * read[index] + share * factor * Double(training[index]) }
        return result
    }

    /// The share of the way that a step goes, so that a round goes `step` of it.
    private func shareOfStep(in context: PruningContext) -> Float {
        let steps = Double(context.timing.softSteps) / Double(max(configuration.rounds - 1, 1))
        return Float(1 - pow(1 - configuration.step, 1 / max(steps, 1)))
    }
}
