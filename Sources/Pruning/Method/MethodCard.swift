/// What a method is, for `diffprune methods`, the docs and the tests.
public struct MethodCard: Sendable, Equatable {
    /// What a run's result owes to its target.
    public enum Promise: String, Codable, Sendable {
        /// Every limit of the budget holds, within one unit.
        case meetsBudget = "meets the budget"
        /// The target is what the method is led towards.
        case approachesBudget = "approaches the budget"
    }

    public let name: String
    public let family: String
    public let summary: String
    /// What can leave at once; the first is what does unless a run says otherwise.
    public let granularities: [Granularity.Name]
    public let promise: Promise
    /// Whether weights are ranked within the row of one output instead of all together.
    public let comparesRows: Bool
    /// Where what leaves is taken from unless a run says otherwise, wherever axes do not leave together.
    private let allocation: Allocation
    /// Whether it learns its masks by fine-tuning, and cannot do without.
    public let needsTraining: Bool
    /// "Author et al., year, identifier" of what it is based on; empty for plain controls.
    public let paper: String

    /// What it can mask.
    public var spaces: [PruningSpace.Kind] {
        PruningSpace.Kind.allCases.filter { space in granularities.contains { $0.space == space } }
    }

    /// Where what leaves is taken from unless a run says otherwise.
    public func allocation(for granularity: Granularity.Name) -> Allocation {
        switch granularity {
        // Of axes that leave together, and of blocks that leave whole, there is no share.
        case .regular, .level, .layer: .global
        default: allocation
        }
    }

    public init(
        name: String, family: String, summary: String, granularities: [Granularity.Name] = Granularity.Name.allCases,
        promise: Promise = .meetsBudget, comparesRows: Bool = false, allocation: Allocation = .global,
        needsTraining: Bool = false, paper: String
    ) {
        self.name = name
        self.family = family
        self.summary = summary
        self.granularities = granularities
        self.promise = promise
        self.comparesRows = comparesRows
        self.allocation = allocation
        self.needsTraining = needsTraining
        self.paper = paper
    }
}
