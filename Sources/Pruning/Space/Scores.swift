/// What each coordinate of a space is worth: the lowest leave first.
public struct Scores {
    public let space: PruningSpace
    /// One a coordinate, comparable between sites; −∞ for what leaves whatever the budget says.
    public var values: [Double]

    /// - Precondition: as many values as coordinates.
    public init(_ space: PruningSpace, _ values: [Double]) {
        precondition(values.count == space.count, "\(values.count) scores for \(space.count) coordinates")
        self.space = space
        self.values = values
    }

    /// From one list a site.
    public init(_ space: PruningSpace, bySite lists: [[Double]]) { self.init(space, space.flattened(lists)) }

    /// The scores of one site.
    public subscript(site: Int) -> [Double] {
        get { Array(values[space.ranges[site]]) }
        set {
            precondition(newValue.count == space.ranges[site].count, "\(newValue.count) scores for \(site)")
            values.replaceSubrange(space.ranges[site], with: newValue)
        }
    }

    public var bySite: [[Double]] { space.sites.indices.map { self[$0] } }

    /// The same, with what `masks` have at zero leaving first.
    public func withoutRemoved(of masks: Masks) -> Scores {
        var scores = self
        for (index, mask) in masks.values.enumerated() where mask == 0 { scores.values[index] = -.infinity }
        return scores
    }
}

/// A score that says nothing.
public struct ScoreError: Error, CustomStringConvertible {
    let site: String
    let coordinate: Int

    public var description: String {
        "the score of '\(site)', number \(coordinate), is not a number: the weights or the data are broken"
    }
}

extension Scores {
    /// Throws `ScoreError` where a score is NaN: it would rank anywhere.
    package func check() throws {
        guard let bad = values.firstIndex(where: \.isNaN) else { return }
        let site = space.site(of: bad)
        throw ScoreError(site: space.sites[site].name, coordinate: bad - space.ranges[site].lowerBound)
    }
}
