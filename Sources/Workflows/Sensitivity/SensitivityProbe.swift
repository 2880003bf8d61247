/// One thing that is narrowed while the rest of the model is whole.
struct SensitivityProbe: Equatable {
    enum Kind: String, Codable {
        case group, block
    }

    let kind: Kind
    let name: String
    /// Numbers of the sites that are narrowed.
    let sites: [Int]
    /// Share of each that stays; 0 for none, of a group that may vanish.
    let ratio: Double

    /// Every probe of a model, in their order: each group at every ratio, then each block.
    ///
    /// - Parameters:
    ///   - groups: names of the sites, and whether all of it may leave.
    ///   - plan: ratios, and whether blocks are probed.
    static func all(of groups: [(name: String, isRemovable: Bool)], _ plan: SensitivityPlan) -> [SensitivityProbe] {
        var probes: [SensitivityProbe] = []
        for (site, group) in groups.enumerated() {
            for ratio in plan.ratios + (group.isRemovable ? [0] : []) {
                probes.append(SensitivityProbe(kind: .group, name: group.name, sites: [site], ratio: ratio))
            }
        }
        guard plan.blocks else { return probes }
        let names = groups.map { block(of: $0.name) }
        for (first, name) in names.enumerated() where names.firstIndex(of: name) == first {
            let sites = names.indices.filter { names[$0] == name }
            guard sites.count > 1 else { continue }
            for ratio in plan.ratios {
                probes.append(SensitivityProbe(kind: .block, name: name, sites: sites, ratio: ratio))
            }
        }
        return probes
    }

    /// "down_blocks.0" of "down_blocks.0.resnets.1.inner", "mid_block" of "mid_block.resnets.0.inner".
    static func block(of name: String) -> String {
        let parts = name.split(separator: ".")
        let isNumbered = parts.count > 1 && Int(parts[1]) != nil
        return parts.prefix(isNumbered ? 2 : 1).joined(separator: ".")
    }

    /// How many of a site's coordinates stay.
    func kept(of width: Int) -> Int { ratio == 0 ? 0 : max(1, Int((ratio * Double(width)).rounded())) }
}
