/// Keeping given shares of sites.
extension Selection {
    /// The largest λ of `SiteRatios` at which anything more leaves.
    private var furthest: Double {
        1 / max(1e-6, 1 - (ratios?.filter { $0 < 1 }.max() ?? 0))
    }

    /// What a site keeps where all together keep about `density`, 0 … 1: with ratios by their rule, else just that.
    func share(of site: Int, at density: Double) -> Double {
        guard let ratios else { return density }
        return max(0, 1 - (1 - density) * furthest * (1 - ratios[site]))
    }

    /// The density of `share(of:at:)` at which ratios are what they say.
    private var ratioDensity: Double { 1 - 1 / furthest }

    /// The share of each site at which all together have `remaining` of the space's coordinates.
    func sharesBySite(_ remaining: Double) -> [Double] {
        func shares(_ density: Double) -> [Double] { space.sites.indices.map { share(of: $0, at: density) } }
        let wanted = remaining * Double(space.count)
        var (low, high) = (0.0, 1.0)
        for _ in 0..<60 {
            let middle = 0.5 * (low + high)
            let left = zip(shares(middle), space.widths).reduce(0) { $0 + $1.0 * Double($1.1) }
            if left <= wanted { low = middle } else { high = middle }
        }
        return shares(low)
    }

    /// The share of the first limit's cost that the ratios themselves leave.
    ///
    /// - Throws: `RatioError.nothingLeaves`.
    /// - Precondition: there are ratios.
    public func shareLeftByRatios() throws -> Double {
        let widths: [Double]
        switch space.kind {
        case .channels: widths = widthsLeft(at: ratioDensity).map(Double.init)
        case .weights:
            widths = space.sites.indices.map { share(of: $0, at: ratioDensity) * Double(space.widths[$0]) }
        }
        let left = costs[0].value(widths) / fullCosts[0]
        guard left < 1 else { throw RatioError.nothingLeaves }
        return left
    }

    /// The width of each site where all together keep about `density`, whatever any scores say.
    func widthsLeft(at density: Double) -> [Int] {
        let scores = Scores(space, Array(repeating: 0, count: space.count))
        let units = partition.units(of: scores, prices: space.sites.map { _ in 1 })
        guard case .lists(let lists) = units.members else { return partition.minimumWidths }
        return lowestOfSites(units, lists)(density).widths
    }
}
