import Files
import Pruning
import PruningMethods

/// What `score` can compute: the criteria that the catalogue's methods rank by, under the methods' names, and two
/// elementwise forms of weights under names of their own.
public struct ScoreCriterion: Sendable, Equatable {
    /// Elementwise scores that no method ranks by as they are.
    private enum Form: String, CaseIterable {
        /// |w·g|, g the gradient of the mean loss.
        case taylor = "elementwise-taylor"
        /// −w·(H·g), signed: GraSP's S.
        case gradientFlow = "elementwise-gradient-flow"
    }

    public let name: String

    public static var names: [String] {
        MethodCatalog.all.filter { $0.criterion != nil }.map(\.card.name) + Form.allCases.map(\.rawValue)
    }

    /// - Throws: `UnknownName`.
    public init(named name: String) throws {
        guard Self.names.contains(name) else {
            throw UnknownName(kind: "criterion", name: name, legal: Self.names)
        }
        self.name = name
    }

    /// The criterion, and what its scores are multiplied by to be what the name says.
    private func made(seed: UInt64, probes: Int) throws -> (criterion: any ImportanceCriterion, factor: Float) {
        switch Form(rawValue: name) {
        case .taylor: return (Snip(NoConfiguration(), seed: seed), 1)
        case .gradientFlow: return (Grasp(NoConfiguration(), seed: seed), -1)
        case nil: break
        }
        if name == OptimalBrainDamage.card.name {
            var configuration = OptimalBrainDamage.Configuration()
            configuration.probes = probes
            return (OptimalBrainDamage(configuration, seed: seed), 1)
        }
        guard let criterion = try MethodCatalog.entry(named: name).criterion else {
            throw UnknownName(kind: "criterion", name: name, legal: Self.names)
        }
        return (criterion(seed), 1)
    }

    func criterion(seed: UInt64, probes: Int) throws -> any ImportanceCriterion {
        try made(seed: seed, probes: probes).criterion
    }

    func factor() throws -> Float { try made(seed: 0, probes: 1).factor }

    /// Whether it is a form of single weights, that has nothing to say about channels.
    var isElementwise: Bool { Form(rawValue: name) != nil }

    /// Whether `--probes` means anything to it.
    public var usesProbes: Bool { name == OptimalBrainDamage.card.name }

    /// Whether scores cannot be had without a batch or data.
    public func needsImages() throws -> Bool { try type(of: criterion(seed: 0, probes: 1)).needs.takesData }
}
