/// Single weights, ranked all together or within the row of one output.
struct WeightPartition: Partition {
    let minimumWidths: [Int]
    private let competition: Competition
    private let count: Int

    init(_ space: PruningSpace, comparesRows: Bool) {
        minimumWidths = space.widths.map { min(1, $0) }
        count = space.count
        competition = comparesRows ? .withinClasses(Self.rows(of: space)) : .all
    }

    func units(of scores: Scores, prices: [Double]) -> Units {
        Units(.singles(count: count), scores: scores, prices: prices, competition: competition)
    }

    /// The number of the output that each weight feeds. In the engine's layout the output is the last dimension.
    private static func rows(of space: PruningSpace) -> [Int32] {
        var rows: [Int32] = []
        rows.reserveCapacity(space.count)
        var first: Int32 = 0
        for site in space.sites {
            guard case .weight(let parameter, _) = site, let outputs = parameter.variable.shape.last else { continue }
            for element in 0..<parameter.count { rows.append(first + Int32(element % outputs)) }
            first += Int32(outputs)
        }
        return rows
    }
}
