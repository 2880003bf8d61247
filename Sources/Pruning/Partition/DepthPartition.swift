/// Whole blocks: all channels of an axis that may vanish leave together, and every other channel stays.
struct DepthPartition: Partition {
    let minimumWidths: [Int]
    let isCoarse = true
    private let members: UnitMembers

    init(_ space: PruningSpace) throws {
        let isRemovable = space.groups.map(\.axis.isRemovable)
        guard isRemovable.contains(true) else { throw GranularityError.noRemovableBlocks }
        minimumWidths = zip(space.widths, isRemovable).map { $1 ? 0 : $0 }
        members = .lists(zip(space.ranges, isRemovable).filter { $1 && !$0.isEmpty }.map { Array($0.0) })
    }

    func units(of scores: Scores, prices: [Double]) -> Units { Units(members, scores: scores, prices: prices) }
}
