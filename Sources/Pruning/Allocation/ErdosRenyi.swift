/// The Erdős–Rényi–kernel rule: how dense each layer is so that all together have a given density.
///
///     density_l = min(1, ε · Σ_d n_{l,d} / Π_d n_{l,d})        n_{l,d}: the dimensions of layer l's weight
///
/// A layer that would be denser than whole is made whole, and ε is solved for again over the others.
///
/// Based on: Mocanu et al., 2018; Evci et al., "Rigging the Lottery", ICML 2020,
/// arXiv 1911.11134 (with kernel dimensions).
public enum ErdosRenyi {
    /// - Parameters:
    ///   - shapes: the dimensions of each layer's weight.
    ///   - density: in (0, 1], of all layers together.
    /// - Returns: the density of each layer, in (0, 1].
    public static func densities(of shapes: [[Int]], density: Double) -> [Double] {
        let counts = shapes.map { Double($0.reduce(1, *)) }
        let raw = zip(shapes, counts).map { Double($0.reduce(0, +)) / max($1, 1) }
        let allowed = density * counts.reduce(0, +)
        var isWhole = shapes.map { _ in false }
        while true {
            let whole = zip(counts, isWhole).reduce(0) { $0 + ($1.1 ? $1.0 : 0) }
            let parts = shapes.indices.filter { !isWhole[$0] }
            let weight = parts.reduce(0) { $0 + raw[$1] * counts[$1] }
            guard weight > 0 else { return isWhole.map { _ in 1 } }
            let epsilon = max(0, allowed - whole) / weight
            let over = parts.filter { epsilon * raw[$0] > 1 }
            if over.isEmpty { return shapes.indices.map { isWhole[$0] ? 1 : epsilon * raw[$0] } }
            // The densest first, as the layers made whole raise the others' share.
            let highest = over.map { raw[$0] }.max() ?? 0
            for index in over where raw[index] == highest { isWhole[index] = true }
        }
    }
}
