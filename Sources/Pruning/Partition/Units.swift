/// Which coordinates of a space leave together, unit by unit.
public enum UnitMembers: Equatable {
    /// Every coordinate by itself.
    case singles(count: Int)
    /// The coordinates of each unit, ascending.
    case lists([[Int]])

    public var count: Int {
        switch self {
        case .singles(let count): count
        case .lists(let lists): lists.count
        }
    }
}

/// Who competes with whom for staying.
public enum Competition {
    /// All units of the space.
    case all
    /// The units of one class, by the number of each unit's class; each class keeps the same share of its units.
    case withinClasses([Int32])
    /// The units of one class; of each `of` units of a class, `keep` stay. Classes of at most `keep` units stay whole.
    case pattern([Int32], keep: Int, of: Int)
}

/// Units of a space with what they are worth.
public struct Units {
    public let members: UnitMembers
    /// One a unit: higher stays longer.
    public var scores: [Double]
    /// Units that leave even where the budget would be met with them.
    public var mustLeave: [Bool]
    public var competition: Competition
    /// The units that may leave, by number, each after those that have to leave before it; nil where any may, the
    /// lowest score first.
    public var order: [Int]?

    /// Units of given members: each is worth the mean of its coordinates' scores over their prices.
    ///
    /// - Parameters:
    ///   - scores: −∞ says that a coordinate has left already, and its unit with it.
    ///   - prices: what a coordinate of each site counts.
    init(_ members: UnitMembers, scores: Scores, prices: [Double], competition: Competition = .all) {
        self.members = members
        self.competition = competition
        switch members {
        case .singles:
            var values = scores.values
            for (range, price) in zip(scores.space.ranges, prices) where price != 1 {
                for index in range { values[index] /= price }
            }
            self.scores = values
            mustLeave = scores.values.map { $0 == -.infinity }
        case .lists(let lists):
            let worths = lists.map { Self.worth(of: $0, scores, prices) }
            self.scores = worths.map(\.score)
            mustLeave = worths.map(\.mustLeave)
        }
    }

    init(members: UnitMembers, scores: [Double], mustLeave: [Bool], order: [Int]? = nil) {
        self.order = order
        self.members = members
        self.scores = scores
        self.mustLeave = mustLeave
        competition = .all
    }

    /// What the coordinates of one unit are worth together.
    static func worth(
        of coordinates: some Sequence<Int>, _ scores: Scores, _ prices: [Double]
    ) -> (score: Double, mustLeave: Bool) {
        var (score, price, mustLeave) = (0.0, 0.0, false)
        for coordinate in coordinates {
            score += scores.values[coordinate]
            price += prices[scores.space.site(of: coordinate)]
            mustLeave = mustLeave || scores.values[coordinate] == -.infinity
        }
        return (score / price, mustLeave)
    }
}
