/// What leaves together.
public protocol Partition {
    /// Units if coordinates are worth `scores`.
    ///
    /// - Parameters:
    ///   - scores: −∞ says that a coordinate has left already.
    ///   - prices: what a coordinate of each site counts.
    func units(of scores: Scores, prices: [Double]) -> Units
    /// The same units as those that were made of other scores, by the present ones.
    func units(_ members: UnitMembers, scores: Scores, prices: [Double]) -> Units
    /// Sites whose coordinates leave together, by number: each alone unless said otherwise.
    var families: [[Int]] { get }
    /// Whether units are so large that one may free far more than was asked: those that still fit then come back.
    var isCoarse: Bool { get }
    /// How many coordinates of each site stay at least.
    var minimumWidths: [Int] { get }
    /// Whether so many coordinates of each site may be left together, of those that units leave.
    func allows(_ widths: [Int]) -> Bool
    /// What counts in place of `cost`, where coordinates leave that are no part of any unit.
    func counted(_ cost: any Cost) -> any Cost
    /// The error for a budget that even the minimum widths exceed.
    func unreachable(asked: Double, minimum: Double, quantity: String, widths: [Int]) -> BudgetError
}

extension Partition {
    public var isCoarse: Bool { false }
    public var families: [[Int]] { minimumWidths.indices.map { [$0] } }
    public func allows(_ widths: [Int]) -> Bool { true }
    public func counted(_ cost: any Cost) -> any Cost { cost }

    public func units(_ members: UnitMembers, scores: Scores, prices: [Double]) -> Units {
        Units(members, scores: scores, prices: prices)
    }

    public func unreachable(asked: Double, minimum: Double, quantity: String, widths: [Int]) -> BudgetError {
        .unreachable(asked: asked, minimum: minimum, quantity: quantity)
    }
}
