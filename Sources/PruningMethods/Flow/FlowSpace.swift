import Pruning

/// The masks of a space as one point, one coordinate for each of the units that share a mask, with the density on it.
struct FlowSpace {
    private let context: PruningContext
    /// What shares a mask.
    let members: UnitMembers
    /// How many coordinates of which sites a unit has; of single coordinates the space's ranges say it.
    private let shares: [[(site: Int, count: Int)]]
    /// Coordinates of each site that no unit holds.
    private let wholeWidths: [Double]

    /// - Parameter blockSize: how many neighbouring units of the same first site share a mask;
    ///   1 for single coordinates.
    init(context: PruningContext, members: UnitMembers, blockSize: Int) {
        self.context = context
        guard case .lists(let units) = members else {
            self.members = members
            shares = []
            wholeWidths = []
            return
        }
        let space = context.space
        var lists: [[Int]] = []
        var joined = 0
        for unit in units {
            if joined > 0, joined < blockSize, let last = lists.last,
                space.site(of: last[0]) == space.site(of: unit[0])
            {
                lists[lists.count - 1] = last + unit
                joined += 1
            } else {
                lists.append(unit)
                joined = 1
            }
        }
        self.members = .lists(lists)
        let shares = lists.map { list in
            var shares: [(site: Int, count: Int)] = []
            for coordinate in list {
                let site = space.site(of: coordinate)
                if let index = shares.firstIndex(where: { $0.site == site }) {
                    shares[index].count += 1
                } else {
                    shares.append((site, 1))
                }
            }
            return shares
        }
        self.shares = shares
        var whole = space.widths.map(Double.init)
        for share in shares.joined() { whole[share.site] -= Double(share.count) }
        wholeWidths = whole
    }

    /// Units of each site, by number; of several sites that leave together, of the first.
    var unitsOfSites: [[Int]] {
        guard case .lists = members else { return context.space.ranges.map(Array.init) }
        var result = context.space.sites.map { _ in [Int]() }
        for (index, share) in shares.enumerated() { result[share[0].site].append(index) }
        return result
    }

    /// The sum of each unit's coordinates.
    func sums(of values: [Double]) -> [Double] {
        guard case .lists(let lists) = members else { return values }
        return lists.map { $0.reduce(0) { $0 + values[$1] } }
    }

    /// Units' masks (means over their coordinates).
    func point(of masks: Masks) -> [Double] {
        guard case .lists(let lists) = members else { return masks.values.map(Double.init) }
        return lists.map { $0.reduce(0) { $0 + Double(masks.values[$1]) } / Double($0.count) }
    }

    /// A value for each coordinate from one for each unit.
    func spread(_ point: [Double]) -> [Double] {
        guard case .lists(let lists) = members else { return point }
        // What no unit holds stays whole.
        var values = [Double](repeating: 1, count: context.space.count)
        for (list, value) in zip(lists, point) {
            for coordinate in list { values[coordinate] = value }
        }
        return values
    }

    func masks(at point: [Double]) -> Masks { Masks(context.space, spread(point).map { Float($0) }) }

    func density(of point: [Double]) -> Double { context.selection.density(of: masks(at: point)) }

    /// ∂density/∂unit: what the coordinates of each unit cost at the present widths.
    func costs(at point: [Double]) -> [Double] {
        let marginal = context.selection.marginalDensities(of: masks(at: point))
        guard case .lists = members else {
            return zip(context.space.ranges, marginal).flatMap { repeatElement($1, count: $0.count) }
        }
        return shares.map { $0.reduce(0) { $0 + marginal[$1.site] * Double($1.count) } }
    }

    /// One Euler step of the flow along `drive` to `density` in the metric of the costs, then clipping, then the
    /// uniform shift that puts the clipped point on `density` exactly.
    ///
    /// - Parameter steps: into how many steps a fall of the whole density is divided, which bounds the motion of a step
    ///   that has no density to lose.
    func advance(_ point: inout [Double], along drive: [Double], flow: SparseFlow, to density: Double, steps: Int) {
        let costs = costs(at: point)
        let needed = neededUnits(point, drive)
        // Units at a bound that the drive holds there take no part: their share of the motion is not real. Nor do those
        // that a site cannot do without.
        let free = point.indices.filter { i in
            costs[i] > 0 && !needed[i] && !(point[i] <= 0 && drive[i] <= 0) && !(point[i] >= 1 && drive[i] >= 1)
        }
        for i in point.indices where needed[i] { point[i] = min(1, point[i] + 1 / Double(steps)) }
        let delta = flow.direction(
            energy: free.map { drive[$0] }, density: free.map { _ in -1 }, metric: free.map { costs[$0] })
        let time = max(self.density(of: point) - density, 0.5 / Double(steps))
        for (i, d) in zip(free, delta) { point[i] = min(max(point[i] + d * time, 0), 1) }
        settle(&point, free, at: density, needed)
    }

    /// The units that fill the minimum width of every site: those of the largest masks, of equal ones those that the
    /// drive holds most. A flow below what the budget's choice has to keep would spend elsewhere what it cannot have.
    private func neededUnits(_ point: [Double], _ drive: [Double]) -> [Bool] {
        var needed = point.map { _ in false }
        guard case .lists = members else { return needed }
        var missing = context.selection.partition.minimumWidths
        for (site, whole) in wholeWidths.enumerated() { missing[site] -= Int(whole) }
        let priority = zip(point, drive).map { $0 + 0.25 * $1 }
        for index in point.indices.sorted(by: { (priority[$0], $1) > (priority[$1], $0) })
        where shares[index].contains(where: { missing[$0.site] > 0 }) {
            needed[index] = true
            for share in shares[index] { missing[share.site] -= share.count }
        }
        return needed
    }

    /// Shifts the units that move by τ (clipped), τ found by bisection so that the density is met.
    private func settle(_ point: inout [Double], _ moving: [Int], at density: Double, _ needed: [Bool]) {
        var moves = [Bool](repeating: false, count: point.count)
        for i in moving { moves[i] = true }
        func shifted(_ i: Int, _ tau: Double) -> Double { moves[i] ? min(max(point[i] + tau, 0), 1) : point[i] }
        // Where those that may move cannot give enough, all do.
        if self.density(of: { shifted($0, -1) }) > density { moves = needed.map { !$0 } }
        var (low, high) = (-1.0, 1.0)
        for _ in 0..<40 {
            let middle = 0.5 * (low + high)
            if self.density(of: { shifted($0, middle) }) > density { high = middle } else { low = middle }
        }
        for i in point.indices where moves[i] { point[i] = min(max(point[i] + low, 0), 1) }
    }

    /// The density where unit i has the mask `value(i)`, rounded as masks are; no list of masks is made.
    private func density(of value: (Int) -> Double) -> Double {
        var widths: [Double]
        if case .lists = members {
            // What no unit holds stays whole.
            widths = wholeWidths
            for (index, shares) in shares.enumerated() {
                let mask = Double(Float(value(index)))
                for share in shares { widths[share.site] += mask * Double(share.count) }
            }
        } else {
            widths = context.space.ranges.map { range in range.reduce(0) { $0 + Double(Float(value($1))) } }
        }
        return context.selection.costs[0].value(widths) / context.selection.fullCosts[0]
    }
}
