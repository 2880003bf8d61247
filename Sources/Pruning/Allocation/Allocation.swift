/// Where what leaves is taken from.
public enum Allocation: String, Codable, Sendable, CaseIterable {
    /// The lowest scores of all sites together.
    case global
    /// The same after a score counts the more, the less its site has left: by the ratio of what the site's scores were
    /// to what they are without all lower ones (`LayerAdaptive`). No site is emptied by scores that were read while
    /// all of it was there.
    case layerAdaptive = "layer-adaptive"
    /// The same share of every site.
    case uniform
    /// Of each site the share that is given for it (`SiteRatios`).
    case ratios
    /// By the Erdős–Rényi–kernel rule: the density of a weight is proportional to Σ dimensions / Π dimensions
    /// (`ErdosRenyi`), so that large layers are thinned most. For weights.
    case erdosRenyi = "erdos-renyi"
}
