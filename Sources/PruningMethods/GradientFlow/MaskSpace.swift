import Pruning

/// The masks of all groups as one point, one coordinate for each of the units that share a mask, with the density on it.
struct MaskSpace {
    private let context: PruningContext
    private let coordinates: [[PruningUnit.Part]]

    /// - Parameter blockSize: how many neighbouring units of the same groups share a mask.
    init(context: PruningContext, units: [[PruningUnit.Part]], blockSize: Int) {
        self.context = context
        var coordinates: [[PruningUnit.Part]] = []
        var joined = 0
        for unit in units {
            if joined > 0, joined < blockSize, let last = coordinates.last, last[0].group == unit[0].group {
                coordinates[coordinates.count - 1] = last + unit
                joined += 1
            } else {
                coordinates.append(unit)
                joined = 1
            }
        }
        self.coordinates = coordinates
    }

    /// Coordinates of each group, by number; of several groups that leave together, of the first.
    var coordinatesOfGroups: [[Int]] {
        var result = context.groups.map { _ in [Int]() }
        for (index, coordinate) in coordinates.enumerated() { result[coordinate[0].group].append(index) }
        return result
    }

    private func channelCount(_ coordinate: [PruningUnit.Part]) -> Int {
        coordinate.reduce(0) { $0 + $1.channels.count }
    }

    /// The sum of each coordinate's channels.
    func sums(of values: [[Double]]) -> [Double] {
        coordinates.map { parts in
            parts.reduce(0) { total, part in part.channels.reduce(total) { $0 + values[part.group][$1] } }
        }
    }

    /// Coordinates of masks (means over channels).
    func point(of masks: MaskSet) -> [Double] {
        zip(sums(of: masks.values.map { $0.map(Double.init) }), coordinates).map { $0 / Double(channelCount($1)) }
    }

    /// A value for each channel from one for each coordinate.
    func spread(_ point: [Double]) -> [[Double]] {
        var values = context.groups.map { [Double](repeating: 0, count: $0.width) }
        for (coordinate, value) in zip(coordinates, point) {
            for part in coordinate {
                for channel in part.channels { values[part.group][channel] = value }
            }
        }
        return values
    }

    func masks(at point: [Double]) -> MaskSet { MaskSet(values: spread(point).map { $0.map { Float($0) } }) }

    func density(of point: [Double]) -> Double { context.selection.density(of: masks(at: point)) }

    /// ∂density/∂coordinate: what the channels of each coordinate cost at the present widths.
    func costs(at point: [Double]) -> [Double] {
        let marginal = context.selection.marginalDensities(of: masks(at: point))
        return coordinates.map { $0.reduce(0) { $0 + marginal[$1.group] * Double($1.channels.count) } }
    }

    /// One Euler step of the flow along `drive` to `density` in the metric of the costs, then clipping, then the uniform
    /// shift that puts the clipped point on `density` exactly.
    ///
    /// - Parameter steps: into how many steps a fall of the whole density is divided, which bounds the motion of a step
    ///   that has no density to lose.
    func advance(_ point: inout [Double], along drive: [Double], flow: SparseFlow, to density: Double, steps: Int) {
        let costs = costs(at: point)
        // Coordinates at a bound that the drive holds there take no part: their share of the motion is not real.
        let free = point.indices.filter { i in
            costs[i] > 0 && !(point[i] <= 0 && drive[i] <= 0) && !(point[i] >= 1 && drive[i] >= 1)
        }
        let delta = flow.direction(
            energy: free.map { drive[$0] }, density: free.map { _ in -1 }, metric: free.map { costs[$0] })
        let time = max(self.density(of: point) - density, 0.5 / Double(steps))
        for (i, d) in zip(free, delta) { point[i] = min(max(point[i] + d * time, 0), 1) }
        settle(&point, free, at: density)
    }

    /// Shifts the coordinates that move by τ (clipped), τ found by bisection so that the density is met.
    private func settle(_ point: inout [Double], _ moving: [Int], at density: Double) {
        func shifted(_ tau: Double) -> [Double] {
            var result = point
            for i in moving { result[i] = min(max(result[i] + tau, 0), 1) }
            return result
        }
        var (low, high) = (-1.0, 1.0)
        for _ in 0..<40 {
            let middle = 0.5 * (low + high)
            if self.density(of: shifted(middle)) > density { high = middle } else { low = middle }
        }
        point = shifted(low)
    }
}
