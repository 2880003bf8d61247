/// A mask m ∈ [0, 1] for every coordinate of a space: 1 keeps, 0 removes, anything between is soft.
public struct Masks: Equatable {
    public let space: PruningSpace
    /// One a coordinate.
    public var values: [Float]

    /// All ones.
    public init(_ space: PruningSpace) {
        self.space = space
        values = Array(repeating: 1, count: space.count)
    }

    /// - Precondition: as many values as coordinates.
    public init(_ space: PruningSpace, _ values: [Float]) {
        precondition(values.count == space.count, "\(values.count) masks for \(space.count) coordinates")
        self.space = space
        self.values = values
    }

    /// From one list a site.
    public init(_ space: PruningSpace, bySite lists: [[Float]]) { self.init(space, space.flattened(lists)) }

    /// The masks of one site.
    public subscript(site: Int) -> [Float] {
        get { Array(values[space.ranges[site]]) }
        set {
            precondition(newValue.count == space.ranges[site].count, "\(newValue.count) masks for \(site)")
            values.replaceSubrange(space.ranges[site], with: newValue)
        }
    }

    public var bySite: [[Float]] { space.sites.indices.map { self[$0] } }

    /// Whether every mask is exactly 0 or 1.
    public var isBinary: Bool { space.sites.indices.allSatisfy { isBinary(site: $0) } }

    /// Whether every mask of one site is.
    public func isBinary(site: Int) -> Bool { values[space.ranges[site]].allSatisfy { $0 == 0 || $0 == 1 } }

    /// Coordinates of each site that are not at zero.
    public var liveWidths: [Int] { space.ranges.map { values[$0].count { $0 > 0 } } }

    /// Σ m of each site.
    public var softWidths: [Double] { space.ranges.map { values[$0].reduce(0) { $0 + Double($1) } } }

    public static func == (a: Masks, b: Masks) -> Bool { a.space === b.space && a.values == b.values }
}
