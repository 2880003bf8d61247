import Files
import Pruning
import PruningMethods

/// One line of the catalogue of methods.
public struct MethodInformation: Sendable, Equatable {
    /// One of a method's own settings.
    public struct Setting: Sendable, Equatable {
        /// As in the section `method` of a configuration, with dots between the parts of a path.
        public let key: String
        public let `default`: JSONValue
    }

    public let name: String
    public let family: String
    /// What can leave at once; the first is what does unless a run says otherwise.
    public let granularities: [String]
    /// Where what leaves is taken from unless a run says otherwise: "global", "uniform".
    public let allocation: String
    /// What a method has to know before it can judge.
    public let needs: [String]
    public let summary: String
    /// Empty where there is none.
    public let paper: String
    /// In alphabetical order of their keys.
    public let settings: [Setting]

    /// For people: "any", where nothing is left out.
    public var granularityText: String {
        guard granularities.count == Granularity.Name.allCases.count else {
            return granularities.joined(separator: ", ")
        }
        let usual = granularities[0]
        return usual == Granularity.Name.channel.rawValue ? "any" : "any, \(usual) unless told otherwise"
    }

    /// For programs.
    public var json: JSONValue {
        [
            "name": .string(name), "family": .string(family),
            "granularity": .array(granularities.map { .string($0) }), "allocation": .string(allocation),
            "needs": .array(needs.map { .string($0) }),
            "summary": .string(summary), "paper": .string(paper),
            "settings": .array(settings.map { ["key": .string($0.key), "default": $0.default] }),
        ]
    }

    /// Every method, in the catalogue's order.
    public static func all() throws -> [MethodInformation] {
        try MethodCatalog.all.map {
            MethodInformation(
                name: $0.card.name, family: $0.card.family, granularities: $0.card.granularities.map(\.rawValue),
                allocation: $0.card.allocation(for: $0.card.granularities[0]).rawValue,
                needs: ["weights"] + $0.needs.map { $0.name }, summary: $0.card.summary, paper: $0.card.paper,
                settings: settings(in: try $0.defaultConfiguration().snakeCased, at: []))
        }
    }

    private static func settings(in value: JSONValue, at path: [String]) -> [Setting] {
        guard let members = value.sortedMembers else {
            return [Setting(key: path.joined(separator: "."), default: value)]
        }
        return members.flatMap { settings(in: $0.value, at: path + [$0.key]) }
    }
}
