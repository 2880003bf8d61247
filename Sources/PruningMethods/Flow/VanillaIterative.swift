import Files
import Pruning

/// `vanilla-iterative`: the flow's criterion in rounds with hard masks and fine-tuning between; what left stays away.
/// The second control for the flow.
///
///     score_k = e_k of the energy (see `EnergyCriterion`), per unit of cost that k frees, read anew each round
///
/// Based on and differs from the paper: as `OneShot`.
public struct VanillaIterative: Pruner {
    public struct Configuration: PrunerConfiguration {
        public var rounds = 8
        /// How the density falls over the rounds.
        public var schedule = MaskSchedule.linear
        public var energy = MaskEnergy.lookAhead
        /// η of the look-ahead energy, as a multiple of the Cauchy step ‖g‖²/(gᵀHg).
        public var lookAhead = 0.3
        public var reading = VelocitySign.magnitude
        public init() {}

        var criterion: EnergyCriterion.Configuration {
            EnergyCriterion.Configuration(energy: energy, lookAhead: lookAhead, reading: reading)
        }

        public func validate() throws {
            try require((1...10_000).contains(rounds), "rounds", got: rounds, expected: "1...10000")
            try criterion.validate()
        }
    }

    public static let card = MethodCard(
        name: "vanilla-iterative", family: "gradient-flow",
        summary: "the gradient-flow criterion in rounds, with hard masks and fine-tuning between",
        paper: "Wang, Zhang & Grosse, 2020, arXiv 2002.07376")
    public static let needs = EnergyCriterion.needs
    public let configuration: Configuration

    public init(_ configuration: Configuration, seed: UInt64) { self.configuration = configuration }

    public func plan(_ timing: PlanTiming) -> PruningPlan { .updates(configuration.rounds, timing) }

    public func lossCount(
        of stage: PruningPlan.Stage, from calibration: any CalibrationSource, in space: PruningSpace
    ) -> Int {
        guard case .update = stage else { return 0 }
        return EnergyCriterion(configuration.criterion).lossCount(of: calibration)
    }

    public mutating func update(
        _ masks: inout Masks, number: Int, in context: PruningContext
    ) throws -> MaskUpdateReport {
        let progress = Double(number + 1) / Double(configuration.rounds)
        let density = configuration.schedule.density(at: progress, final: context.remaining)
        return try context.removeLowest(&masks, by: EnergyCriterion(configuration.criterion), density: density)
    }
}
