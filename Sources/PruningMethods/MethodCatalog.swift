import Foundation
import Pruning

/// A method by name, with its configuration still to be read.
public struct MethodEntry: Sendable {
    public let card: MethodCard
    public let needs: [any EvidenceKind.Type]
    /// Makes the pruner from its configuration as JSON (nil: all defaults), checking every value.
    public let make: @Sendable (_ configuration: Data?, _ seed: UInt64) throws -> any Pruner
    /// Its default configuration as JSON: the legal keys, with their values' kinds.
    public let defaultConfiguration: @Sendable () throws -> Data

    init<P: Pruner>(_: P.Type) {
        card = P.card
        needs = P.needs
        make = { data, seed in
            let configuration =
                try data.map { try JSONDecoder().decode(P.Configuration.self, from: $0) } ?? P.Configuration()
            try configuration.validate()
            return P(configuration, seed: seed)
        }
        defaultConfiguration = {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys]
            return try encoder.encode(P.Configuration())
        }
    }
}

/// Every method there is. Adding one takes a file and a line here.
public enum MethodCatalog {
    public static let all: [MethodEntry] = [
        MethodEntry(GradientFlow.self),
        MethodEntry(OneShot.self),
        MethodEntry(VanillaIterative.self),
        MethodEntry(ScoreAndRank<RandomScores>.self),
        MethodEntry(ScoreAndRank<Magnitude>.self),
        MethodEntry(ScoreAndRank<Taylor>.self),
        MethodEntry(ScoreAndRank<DiffPruning>.self),
    ]

    public static func entry(named name: String) throws -> MethodEntry {
        guard let entry = all.first(where: { $0.card.name == name }) else { throw MethodCatalogError.unknown(name) }
        return entry
    }
}

public enum MethodCatalogError: Error, CustomStringConvertible {
    case unknown(String)

    public var description: String {
        switch self {
        case .unknown(let name):
            "unknown method '\(name)', expected one of \(MethodCatalog.all.map(\.card.name).joined(separator: ", "))"
        }
    }
}
