import PruningMethods

/// One line of the catalogue of methods.
public struct MethodInformation: Codable, Sendable, Equatable {
    public let name: String
    public let family: String
    public let granularity: String
    /// What a method has to know before it can judge.
    public let needs: [String]
    public let summary: String
    public let paper: String

    /// Every method, in the catalogue's order.
    public static var all: [MethodInformation] {
        MethodCatalog.all.map {
            MethodInformation(
                name: $0.card.name, family: $0.card.family,
                granularity: $0.card.granularities.map(\.rawValue).joined(separator: ", "),
                needs: $0.needs.map { $0.name },
                summary: $0.card.summary, paper: $0.card.paper)
        }
    }
}
