import Files

/// What is to stay of each site of a space, whatever its scores say beside those of others: of each site the highest.
///
/// On the way there, and where a budget asks for more or less than the ratios come to, what leaves is scaled: a site of
/// ratio r keeps the share 1 − λ·(1 − r) of itself, with one λ for all sites. λ = 1 are the ratios themselves; a site
/// of ratio 1 loses nothing at any λ.
public struct SiteRatios: Sendable, Equatable {
    /// By the site's name; each in (0, 1].
    public let shares: [String: Double]

    /// - Parameter shares: what stays of each site, by its name.
    /// - Throws: `RatioError` for a share outside (0, 1].
    public init(_ shares: [String: Double]) throws {
        for (name, share) in shares.sorted(by: { $0.key < $1.key }) where !(share > 0 && share <= 1) {
            throw RatioError.outOfRange(name: name, share: share)
        }
        self.shares = shares
    }

    /// The share of each site, in the space's order.
    ///
    /// - Throws: `RatioError` where a site has none, or a name is of no site.
    func bySite(_ space: PruningSpace) throws -> [Double] {
        let names = space.sites.map(\.name)
        if let unknown = Set(shares.keys).subtracting(names).min() {
            throw RatioError.unknown(name: unknown, nearest: Spelling.nearest(to: unknown, among: names), space.kind)
        }
        let missing = names.filter { shares[$0] == nil }
        if let first = missing.first { throw RatioError.missing(name: first, more: missing.count - 1, space.kind) }
        return names.compactMap { shares[$0] }
    }
}

/// Why ratios cannot be had.
public enum RatioError: Error, CustomStringConvertible {
    case outOfRange(name: String, share: Double)
    /// A name of no site of the space.
    case unknown(name: String, nearest: String?, PruningSpace.Kind)
    /// A site without a ratio, and how many more there are.
    case missing(name: String, more: Int, PruningSpace.Kind)
    /// Ratios of which all are 1, or so near that every unit stays.
    case nothingLeaves
    /// With a granularity whose units are no part of one site alone, or that has its own share.
    case notFor(granularity: String)

    public var description: String {
        switch self {
        case .outOfRange(let name, let share): "the ratio of '\(name)' is \(share.plain), expected in (0, 1]"
        case .unknown(let name, let nearest, let kind):
            "the ratios name '\(name)', which is no \(Self.noun(kind)) of the model"
                + (nearest.map { ", did you mean '\($0)'?" } ?? "")
        case .missing(let name, let more, let kind):
            "the ratios lack the \(Self.noun(kind)) '\(name)'\(more > 0 ? " and \(more) more" : ""), "
                + "expected one for each"
        case .nothingLeaves: "the ratios leave everything, expected at least one that takes something away"
        case .notFor(let granularity):
            "granularity '\(granularity)' takes no ratios, expected channel, block, head, aligned or weight"
        }
    }

    private static func noun(_ kind: PruningSpace.Kind) -> String {
        switch kind {
        case .channels: "channel group"
        case .weights: "weight"
        }
    }
}
