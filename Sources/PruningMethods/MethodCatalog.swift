import Files
import Pruning

/// A method by name, with its configuration still to be read.
public struct MethodEntry: Sendable {
    public let card: MethodCard
    public let needs: [any EvidenceKind.Type]
    /// Makes the pruner from its configuration, keys in camelCase (nil: all defaults), checking every value.
    public let make: @Sendable (_ configuration: JSONValue?, _ seed: UInt64) throws -> any Pruner
    /// Its default configuration: the legal keys, with their values' kinds.
    public let defaultConfiguration: @Sendable () throws -> JSONValue
    /// The criterion that it ranks by, at its default settings; nil where it ranks by none.
    public let criterion: (@Sendable (_ seed: UInt64) -> any ImportanceCriterion)?

    private init<P: Pruner>(
        _: P.Type, criterion: (@Sendable (_ seed: UInt64) -> any ImportanceCriterion)?
    ) {
        card = P.card
        needs = P.needs
        make = { values, seed in
            let configuration = try values.map { try $0.decoded(as: P.Configuration.self) } ?? P.Configuration()
            try configuration.validate()
            return P(configuration, seed: seed)
        }
        defaultConfiguration = { try JSONValue(encoding: P.Configuration()) }
        self.criterion = criterion
    }

    /// A method of its own.
    public init<P: Pruner>(_ pruner: P.Type) { self.init(pruner, criterion: nil) }

    /// A method of its own that ranks by a criterion.
    public init<P: Pruner, C: ImportanceCriterion>(_ pruner: P.Type, rankingBy _: C.Type) {
        self.init(pruner) { C(C.Configuration(), seed: $0) }
    }

    /// Ranking by a criterion: `ScoreAndRank`.
    public init<C: ImportanceCriterion>(rankingBy criterion: C.Type) {
        self.init(ScoreAndRank<C>.self, rankingBy: criterion)
    }
}

/// Every method there is. Adding one takes a file and a line here.
public enum MethodCatalog {
    public static let all: [MethodEntry] = [
        MethodEntry(GradientFlow.self, rankingBy: EnergyCriterion.self),
        MethodEntry(OneShot.self, rankingBy: EnergyCriterion.self),
        MethodEntry(VanillaIterative.self, rankingBy: EnergyCriterion.self),
        MethodEntry(rankingBy: RandomScores.self),
        MethodEntry(rankingBy: Magnitude.self),
        MethodEntry(rankingBy: Taylor.self),
        MethodEntry(rankingBy: DiffPruning.self),
        MethodEntry(rankingBy: Snip.self),
        MethodEntry(rankingBy: SynFlow.self),
        MethodEntry(rankingBy: Fisher.self),
        MethodEntry(rankingBy: Grasp.self),
        MethodEntry(rankingBy: OptimalBrainDamage.self),
        MethodEntry(OptimalBrainSurgeon.self, rankingBy: SurgeonCriterion.self),
        MethodEntry(rankingBy: Wanda.self),
        MethodEntry(rankingBy: ActivationMagnitude.self),
        MethodEntry(rankingBy: ActivationVariance.self),
        MethodEntry(ScalingFactors.self),
        MethodEntry(Movement.self),
        MethodEntry(SoftMovement.self),
        MethodEntry(rankingBy: Depth.self),
        MethodEntry(ThiNet.self),
        MethodEntry(ChannelLasso.self),
        MethodEntry(DiscriminationAware.self),
        MethodEntry(L0.self),
        MethodEntry(GumbelSoftmax.self),
        MethodEntry(VariationalDropout.self),
        MethodEntry(Hyperflows.self),
        MethodEntry(Gradual.self),
        MethodEntry(NetworkSurgery.self),
        MethodEntry(SoftThreshold.self),
        MethodEntry(RigL.self),
        MethodEntry(Lottery.self),
    ]

    /// - Throws: `UnknownName`.
    public static func entry(named name: String) throws -> MethodEntry {
        guard let entry = all.first(where: { $0.card.name == name }) else {
            throw UnknownName(kind: "method", name: name, legal: all.map(\.card.name))
        }
        return entry
    }
}
