import Files

/// The settings of a method that scores, ranks and removes.
public struct RankingConfiguration<Criterion: ImportanceCriterion>: PrunerConfiguration {
    /// In how many rounds coordinates leave, with fine-tuning between unless the criterion ranks before; 1 is one-shot.
    public var rounds = Criterion.rounds
    /// How the density falls over the rounds.
    public var schedule = Criterion.schedule
    /// The criterion's own settings.
    public var criterion = Criterion.Configuration()

    public init() {}

    public func validate() throws {
        try require((1...10_000).contains(rounds), "rounds", got: rounds, expected: "1...10000")
        try SettingError.within("criterion", criterion.validate)
    }
}

/// Scores every coordinate, ranks all sites together, and removes the lowest until the round's budget is met, with hard
/// masks: one-shot for one round, "vanilla" iterative pruning for more. What left stays away.
public struct ScoreAndRank<Criterion: ImportanceCriterion>: Pruner {
    public static var card: MethodCard { Criterion.card }
    public static var needs: [any EvidenceKind.Type] { Criterion.needs }

    public let configuration: RankingConfiguration<Criterion>
    private let criterion: Criterion

    public init(_ configuration: RankingConfiguration<Criterion>, seed: UInt64) {
        self.configuration = configuration
        criterion = Criterion(configuration.criterion, seed: seed)
    }

    public func plan(_ timing: PlanTiming) -> PruningPlan {
        .updates(configuration.rounds, Criterion.ranksBeforeTraining ? timing.withoutSoftSteps : timing)
    }

    public func lossCount(
        of stage: PruningPlan.Stage, from calibration: any CalibrationSource, in space: PruningSpace
    ) -> Int {
        guard case .update = stage else { return 0 }
        return criterion.lossCount(of: calibration)
    }

    public mutating func update(
        _ masks: inout Masks, number: Int, in context: PruningContext
    ) throws -> MaskUpdateReport {
        let progress = Double(number + 1) / Double(configuration.rounds)
        let density = configuration.schedule.density(at: progress, final: context.remaining)
        return try context.removeLowest(&masks, by: criterion, density: density)
    }
}

extension PruningContext {
    /// Removes what `criterion` ranks lowest among the coordinates still there.
    public func removeLowest(
        _ masks: inout Masks, by criterion: some ImportanceCriterion, density: Double
    ) throws -> MaskUpdateReport {
        let scores = try criterion.scores(at: masks, from: evidence)
        let (energy, loss) = try criterion.reading(at: masks, from: evidence)
        let old = masks
        masks = try selection.masks(
            keeping: scores.withoutRemoved(of: masks), remaining: density,
            perCost: type(of: criterion).scoresAreLossChanges)
        return report(from: old, to: masks, energy: energy, loss: loss)
    }
}
