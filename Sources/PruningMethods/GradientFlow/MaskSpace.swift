import Pruning

/// The masks of all groups as one point, one coordinate for each channel or block of channels, with the density on it.
struct MaskSpace {
    private struct Coordinate {
        let group: Int
        let channels: Range<Int>
    }
    private let context: PruningContext
    private let coordinates: [Coordinate]

    init(context: PruningContext, blockSize: Int) {
        self.context = context
        coordinates = context.groups.enumerated().flatMap { number, group in
            stride(from: 0, to: group.width, by: blockSize).map {
                Coordinate(group: number, channels: $0..<min($0 + blockSize, group.width))
            }
        }
    }

    /// Coordinates of each group, by number.
    var coordinatesOfGroups: [[Int]] {
        var result = context.groups.map { _ in [Int]() }
        for (index, coordinate) in coordinates.enumerated() { result[coordinate.group].append(index) }
        return result
    }

    /// Coordinates of masks (means over blocks).
    func point(of masks: MaskSet) -> [Double] { point(ofMeans: masks.values.map { $0.map(Double.init) }) }

    func point(ofMeans values: [[Double]]) -> [Double] {
        coordinates.map { c in
            c.channels.reduce(0) { $0 + values[c.group][$1] } / Double(c.channels.count)
        }
    }

    /// A value for each channel from one for each coordinate.
    func spread(_ point: [Double]) -> [[Double]] {
        var values = context.groups.map { [Double](repeating: 0, count: $0.width) }
        for (coordinate, value) in zip(coordinates, point) {
            for channel in coordinate.channels { values[coordinate.group][channel] = value }
        }
        return values
    }

    func masks(at point: [Double]) -> MaskSet { MaskSet(values: spread(point).map { $0.map { Float($0) } }) }

    func density(of point: [Double]) -> Double { context.selection.density(of: masks(at: point)) }

    /// ∂density/∂coordinate: what the channels of each coordinate cost at the present widths.
    func costs(at point: [Double]) -> [Double] {
        let marginal = context.selection.marginalDensities(of: masks(at: point))
        return coordinates.map { marginal[$0.group] * Double($0.channels.count) }
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
