/// How much each channel matters.
public protocol ImportanceCriterion: SendableMetatype {
    static var card: MethodCard { get }
    static var needs: Evidence { get }
    /// Whether scores are changes of a loss: they are then ranked per unit of cost that a channel frees.
    static var scoresAreLossChanges: Bool { get }
    associatedtype Configuration: PrunerConfiguration
    init(_ configuration: Configuration, seed: UInt64)
    /// One score a channel of each group, comparable between groups: the lowest leave first.
    func scores(masks: MaskSet, from evidence: EvidenceCollector) throws -> [[Double]]
}

/// The settings of a method that scores, ranks and removes.
public struct RankingConfiguration<Criterion: PrunerConfiguration>: PrunerConfiguration {
    /// In how many rounds the channels leave, with fine-tuning between; 1 is one-shot.
    public var rounds = 1
    /// How the density falls over the rounds.
    public var schedule = MaskSchedule.cubic
    /// The criterion's own settings.
    public var criterion = Criterion()

    public init() {}

    public func validate() throws {
        guard (1...10_000).contains(rounds) else {
            throw PrunerConfigurationError(key: "rounds", got: rounds, expected: "1...10000")
        }
        try criterion.validate()
    }
}

/// A criterion without settings.
public struct NoConfiguration: PrunerConfiguration {
    public init() {}
    public func validate() throws {}
}

/// Scores every channel, ranks all groups together, and removes the lowest until the round's budget is met, with hard
/// masks: one-shot for one round, "vanilla" iterative pruning for more. Channels that left stay away.
public struct ScoreAndRank<Criterion: ImportanceCriterion>: Pruner {
    public static var card: MethodCard { Criterion.card }
    public static var needs: Evidence { Criterion.needs }

    public let configuration: RankingConfiguration<Criterion.Configuration>
    public var state = NoConfiguration()
    private let criterion: Criterion

    public init(_ configuration: RankingConfiguration<Criterion.Configuration>, seed: UInt64) {
        self.configuration = configuration
        criterion = Criterion(configuration.criterion, seed: seed)
    }

    public var updates: Int { configuration.rounds }

    public mutating func update(
        _ masks: inout MaskSet, index: Int, in context: PruningContext
    ) throws -> MaskUpdateReport {
        var scores = try criterion.scores(masks: masks, from: context.evidence)
        for (group, mask) in masks.values.enumerated() {
            for (channel, value) in mask.enumerated() where value == 0 { scores[group][channel] = -.infinity }
        }
        let progress = Double(index + 1) / Double(updates)
        let density = configuration.schedule.density(at: progress, final: context.remaining)
        let old = masks
        masks = try context.selection.masks(
            keeping: scores, remaining: density, perCost: Criterion.scoresAreLossChanges)
        return context.report(from: old, to: masks)
    }
}
