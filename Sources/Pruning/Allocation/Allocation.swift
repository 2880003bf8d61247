/// Where what leaves is taken from.
public enum Allocation: String, Codable, Sendable, CaseIterable {
    /// The lowest scores of all sites together.
    case global
    /// The same share of every site.
    case uniform
    /// By the Erdős–Rényi–kernel rule: the density of a weight is proportional to Σ dimensions / Π dimensions
    /// (`ErdosRenyi`), so that large layers are thinned most. For weights.
    case erdosRenyi = "erdos-renyi"
}
