/// Runs of one axis's channels that leave together: single channels, blocks of neighbours, attention heads.
struct RunPartition: Partition {
    let minimumWidths: [Int]
    private let members: UnitMembers

    init(_ space: PruningSpace, granularity: Granularity, minimumWidths: [Int]) {
        self.minimumWidths = minimumWidths
        members = .lists(
            zip(space.groups, space.ranges).flatMap { group, range in
                let key: (Int) -> Int =
                    switch granularity {
                    case .block(let size): { group.axis.kept[$0] / size }
                    case .head: { group.axis.kept[$0] / group.axis.headWidth }
                    default: { $0 }
                    }
                var runs: [[Int]] = []
                var last: Int?
                for channel in 0..<group.width {
                    let current = key(channel)
                    let coordinate = range.lowerBound + channel
                    if current == last { runs[runs.count - 1].append(coordinate) } else { runs.append([coordinate]) }
                    last = current
                }
                return runs
            })
    }

    func units(of scores: Scores, prices: [Double]) -> Units { Units(members, scores: scores, prices: prices) }
}
