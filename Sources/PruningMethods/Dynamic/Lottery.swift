import Files
import Foundation
import Pruning

/// Lottery tickets: a fifth of what remains leaves by magnitude, the weights go back to what they were early on, and
/// the rest is trained again; round after round.
///
///     train k steps, remember θ_k;   round r:  train,  remove the lowest |w|  of what is left,  θ ← m ⊙ θ_k
///
/// The learning rate's schedule goes back with the weights; with `rewind: learning-rate` it alone does, and the weights
/// stay as they are. The last round removes what is missing to the budget.
///
/// Based on: Frankle & Carbin, "The Lottery Ticket Hypothesis", ICLR 2019, arXiv 1803.03635; Frankle et al.,
/// "Stabilizing the Lottery Ticket Hypothesis", 2019, arXiv 1903.01611 (rewinding to an early step); Renda, Frankle &
/// Carbin, "Comparing Rewinding and Fine-tuning in Neural Network Pruning", ICLR 2020, arXiv 2003.02389
/// (learning-rate rewinding).
///
/// Differs from the paper: the network is trained already, and what is rewound to lies early in its fine-tuning;
/// channels too, by `magnitude`'s score; rounds share the soft part of the steps instead of training to the end each.
public struct Lottery: Pruner {
    /// What goes back to what it was early on.
    public enum Rewinding: String, Codable, Sendable, CaseIterable {
        /// The weights, and the schedule of learning rates with them.
        case weights
        /// The schedule alone.
        case learningRate = "learning-rate"
    }

    public struct Configuration: PrunerConfiguration {
        /// Share of what remains that leaves in a round.
        public var fraction = 0.2
        /// k, as a share of the soft steps.
        public var early = 0.1
        /// Order of the norm that ranks channels, 1 or 2.
        public var norm = 2
        /// What goes back.
        public var rewind = Rewinding.weights

        public init() {}

        public func validate() throws {
            try require(fraction >= 0.01 && fraction < 1, "fraction", got: fraction, expected: "in [0.01, 1)")
            try require((0..<1).contains(early), "early", got: early, expected: "in [0, 1)")
            try require(norm == 1 || norm == 2, "norm", got: norm, expected: "1 or 2")
        }

        var magnitude: Magnitude {
            var magnitude = Magnitude.Configuration()
            magnitude.norm = norm
            return Magnitude(magnitude, seed: 0)
        }
    }

    public static let card = MethodCard(
        name: "lottery", family: "dynamic",
        summary: "removes the smallest in rounds and takes the rest back to its early weights",
        needsTraining: true, paper: "Frankle & Carbin, 2019, arXiv 1803.03635")
    public static let needs: [any EvidenceKind.Type] = []

    public let configuration: Configuration

    public init(_ configuration: Configuration, seed: UInt64) { self.configuration = configuration }

    /// Rounds of removing the fraction until at most `remaining` is left.
    private func rounds(_ remaining: Double) -> Int {
        max(1, Int((log(remaining) / log(1 - configuration.fraction) - 1e-9).rounded(.up)))
    }

    public func plan(_ timing: PlanTiming) -> PruningPlan {
        let early = Int((Double(timing.softSteps) * configuration.early).rounded())
        let rounds = rounds(timing.remaining)
        var stages: [PruningPlan.Stage] = early > 0 ? [.train(steps: early)] : []
        stages.append(.snapshot("early"))
        var done = early
        for round in 0..<rounds {
            let until = early + (timing.softSteps - early) * (round + 1) / rounds
            if until > done { stages.append(.train(steps: until - done)) }
            done = until
            stages += [.update(round), .rewind(to: "early", weights: configuration.rewind == .weights)]
        }
        stages += timing.closing
        if timing.steps > done { stages.append(.train(steps: timing.steps - done)) }
        return PruningPlan(stages + timing.ending)
    }

    public mutating func update(
        _ masks: inout Masks, number: Int, in context: PruningContext
    ) throws -> MaskUpdateReport {
        let density = max(context.remaining, pow(1 - configuration.fraction, Double(number + 1)))
        return try context.removeLowest(&masks, by: configuration.magnitude, density: density)
    }
}
